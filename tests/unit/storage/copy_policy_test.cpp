// Copies that leave the disks to the guests. Only that they are not faster than allowed is judged by the clock.
#include <gtest/gtest.h>

#include "drivers/qemu_img/qemu_img.h"
#include "drivers/storage/local_storage_files.h"
#include "tests/fakes/temp_directory.h"

namespace hvagent {
namespace {

using std::chrono::steady_clock;

class CopyPolicies : public testing::Test {
protected:
    CopyPolicies() {
        std::string content(16 * MiB, 'x');
        for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7919 >> 8);
        write_file(source_, content);
    }
    template <class Work>
    milliseconds time_of(Work work) {
        const auto began = steady_clock::now();
        work();
        return std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
    }

    TempDirectory directory_;
    const std::string source_ = directory_.file("source"), target_ = directory_.file("target");
    Cancellation cancel_;
};

TEST_F(CopyPolicies, ACopyOfAFileKeepsItsRate) {
    LocalStorageFiles files({32 * MiB, true});
    files.prepare(directory_.path());
    EXPECT_GE(time_of([&] { files.copy(source_, target_, {}, cancel_); }), milliseconds(450));
    EXPECT_EQ(read_file(target_), read_file(source_));
}

TEST_F(CopyPolicies, AConversionKeepsItsRate) {
    QemuImgSettings settings;
    settings.copies = {16 * MiB, true};
    QemuImg images(settings);
    EXPECT_GE(time_of([&] { images.convert(source_, "raw", target_, "raw", {}, cancel_); }), milliseconds(500));
    EXPECT_EQ(read_file(target_), read_file(source_));
}

}  // namespace
}  // namespace hvagent
