// Hostile images, full disks, and what only the real tool does.
#include "drivers/qemu_img/qemu_img.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "drivers/process/command.h"
#include "tests/fakes/temp_directory.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class QemuImgDriver : public testing::Test {
protected:
    void SetUp() override {
        if (::access("/usr/bin/qemu-img", X_OK) != 0) GTEST_SKIP() << "needs qemu-img";
    }
    // As somebody outside makes images, with any option.
    void make(const std::vector<std::string>& arguments) {
        Command command;
        command.argv = {"qemu-img", "create", "-q"};
        command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
        command.working_directory = directory_.path();
        const CommandResult result = run(command);
        ASSERT_TRUE(result.succeeded()) << result.failure();
    }
    void overwrite(const std::string& path, std::size_t offset, const std::string& bytes) {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(offset));
        file << bytes;
        ASSERT_TRUE(file.flush());
    }
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(directory_.path()))
            names.push_back(entry.path().filename());
        return names;
    }
    void convert(const std::string& source, const std::string& format) {
        images_.convert(source, format, directory_.file("target"), "qcow2", {}, cancel_);
    }

    TempDirectory directory_;
    const std::string disk_ = directory_.file("disk");
    QemuImg images_{QemuImgSettings{}};
    Cancellation cancel_;
};

TEST_F(QemuImgDriver, RecognisesFormats) {
    for (const char* format : {"qcow2", "raw", "vmdk", "vdi", "vhdx", "vpc"}) {
        const std::string path = directory_.file(format);
        make({"-f", format, path, "64M"});
        const DiskImageInfo info = images_.inspect(path, "");
        EXPECT_EQ(info.format, format);
        EXPECT_NEAR(static_cast<double>(info.virtual_size), 64 * MiB, MiB) << format;
        EXPECT_FALSE(info.has_external_data_file);
        EXPECT_EQ(info.backing_file, "");
    }
    make({"-f", "vpc", "-o", "subformat=fixed,force_size=on", directory_.file("fixed"), "1M"});
    EXPECT_EQ(images_.inspect(directory_.file("fixed"), "").format, "vpc");
    make({"-f", "vmdk", "-o", "subformat=streamOptimized", directory_.file("stream"), "64M"});
    EXPECT_EQ(images_.inspect(directory_.file("stream"), "").virtual_size, 64 * MiB);
}

TEST_F(QemuImgDriver, TakesAnIsoForRaw) {
    std::string iso(40000, '\0');
    iso.replace(32769, 5, "CD001");
    write_file(disk_, iso);
    const DiskImageInfo info = images_.inspect(disk_, "");
    EXPECT_EQ(info.format, "raw");
    EXPECT_EQ(info.virtual_size, 40448) << "whole sectors";
}

TEST_F(QemuImgDriver, BelievesNothingThatAGuestWroteIntoARawDisk) {
    make({"-f", "raw", directory_.file("secret"), "1M"});
    make({"-f", "qcow2", "-F", "raw", "-b", directory_.file("secret"), disk_});
    const DiskImageInfo info = images_.inspect(disk_, "raw");
    EXPECT_EQ(info.backing_file, "");
    EXPECT_LT(info.virtual_size, MiB) << "the size of the file, not the one in the header";
}

TEST_F(QemuImgDriver, TellsABackingFileWithoutLookingAtIt) {
    for (const std::string& backing :
         {std::string("/etc/passwd"), std::string("nbd:127.0.0.1:1"),
          std::string("json:{\"driver\":\"nbd\",\"host\":\"127.0.0.1\",\"port\":\"1\"}"), std::string("/dev/zero")}) {
        std::filesystem::remove(disk_);
        make({"-f", "qcow2", "-u", "-F", "raw", "-b", backing, disk_, "1M"});
        EXPECT_EQ(images_.inspect(disk_, "qcow2").backing_file, backing);
    }
}

TEST_F(QemuImgDriver, OpensNoExternalDataFile) {
    make({"-f", "qcow2", "-o", "data_file=" + directory_.file("data"), disk_, "1M"});
    std::filesystem::remove(directory_.file("data"));
    // A reader of it would wait here for ever.
    ASSERT_EQ(::mkfifo(directory_.file("data").c_str(), 0600), 0);
    const DiskImageInfo info = images_.inspect(disk_, "qcow2");
    EXPECT_TRUE(info.has_external_data_file);
    EXPECT_EQ(info.virtual_size, MiB);
    EXPECT_EQ(thrown_error([&] { convert(disk_, "qcow2"); }).code(), Code::operation_failed);
    EXPECT_THAT(names(), UnorderedElementsAre("disk", "data"));
}

TEST_F(QemuImgDriver, TellsEncryption) {
    make({"-f", "qcow2", disk_, "1M"});
    overwrite(disk_, 32, std::string("\0\0\0\2", 4));  // crypt_method: LUKS
    EXPECT_TRUE(images_.inspect(disk_, "").is_encrypted);
    EXPECT_EQ(thrown_error([&] { convert(disk_, "qcow2"); }).code(), Code::operation_failed);
    write_file(directory_.file("luks"), std::string("LUKS\xba\xbe") + std::string(4096, '\0'));
    EXPECT_TRUE(images_.inspect(directory_.file("luks"), "").is_encrypted);
}

TEST_F(QemuImgDriver, OpensNoFilesThatAVmwareDiskLists) {
    write_file(directory_.file("text"),
               "# Disk DescriptorFile\nversion=1\ncreateType=\"monolithicFlat\"\n"
               "RW 2048 FLAT \"/etc/passwd\" 0\n");
    EXPECT_TRUE(images_.inspect(directory_.file("text"), "").has_external_data_file);
    EXPECT_EQ(thrown_error([&] { convert(directory_.file("text"), "vmdk"); }).code(), Code::operation_failed);

    make({"-f", "vmdk", disk_, "64M"});
    overwrite(disk_, 12, std::string(8, '\0'));
    EXPECT_TRUE(images_.inspect(disk_, "vmdk").has_external_data_file) << "a capacity of 0 makes QEMU read the list";
}

TEST_F(QemuImgDriver, TellsTheParentOfAVmwareDisk) {
    make({"-f", "vmdk", directory_.file("base.vmdk"), "64M"});
    make({"-f", "vmdk", "-F", "vmdk", "-b", directory_.file("base.vmdk"), disk_});
    EXPECT_THAT(images_.inspect(disk_, "vmdk").backing_file, HasSubstr("base.vmdk"));
    EXPECT_THAT(thrown_error([&] { convert(disk_, "vmdk"); }).details(), HasSubstr("not followed"));
}

TEST_F(QemuImgDriver, RefusesFormatsNobodyAskedFor) {
    make({"-f", "qed", directory_.file("qed"), "1M"});
    make({"-f", "qcow", directory_.file("qcow"), "1M"});
    for (const char* name : {"qed", "qcow"}) {
        const Error error = thrown_error([&] { images_.inspect(directory_.file(name), ""); });
        EXPECT_EQ(error.code(), Code::operation_failed);
        EXPECT_THAT(error.details(), HasSubstr("expected qcow2, raw"));
    }
    write_file(disk_, "x");
    EXPECT_EQ(thrown_error([&] { convert(disk_, "nbd"); }).code(), Code::invalid_argument);
}

TEST_F(QemuImgDriver, RefusesDamagedHeaders) {
    struct Damage {
        std::size_t offset;
        std::string bytes;
    };
    const std::string ones(8, '\xff');
    for (const Damage& damage :
         {Damage{4, std::string("\0\0\0\x09", 4)}, Damage{20, ones.substr(4)}, Damage{20, std::string("\0\0\0\x05", 4)},
          Damage{24, ones}, Damage{36, ones.substr(4)}, Damage{40, ones}, Damage{72, ones.substr(0, 1)}}) {
        std::filesystem::remove(disk_);
        make({"-f", "qcow2", disk_, "1G"});
        overwrite(disk_, damage.offset, damage.bytes);
        EXPECT_EQ(thrown_error([&] { images_.inspect(disk_, "qcow2"); }).code(), Code::operation_failed) << damage.offset;
    }
    make({"-f", "vdi", directory_.file("vdi"), "1G"});
    overwrite(directory_.file("vdi"), 68, ones);
    EXPECT_THAT(thrown_error([&] { images_.inspect(directory_.file("vdi"), ""); }).details(), HasSubstr("qemu-img: "));
}

TEST_F(QemuImgDriver, NoticesThatADownloadWasCutOff) {
    write_file(directory_.file("raw"), "");
    for (int i = 0; i < 4; ++i) {
        std::filesystem::resize_file(directory_.file("raw"), (1 << 30) + i);
        std::fstream file(directory_.file("raw"), std::ios::in | std::ios::out);
        file.seekp(i * (300 << 20));
        file << std::string(1 << 20, 'd');
    }
    std::filesystem::resize_file(directory_.file("raw"), 1 << 30);
    Command command;  // in order, as most images are written
    command.argv = {"qemu-img", "convert", "-f", "raw", "-O", "qcow2", directory_.file("raw"), disk_};
    ASSERT_TRUE(run(command).succeeded());
    EXPECT_EQ(images_.inspect(disk_, "qcow2").virtual_size, GiB);
    std::filesystem::resize_file(disk_, std::filesystem::file_size(disk_) / 2);
    EXPECT_THAT(thrown_error([&] { images_.inspect(disk_, "qcow2"); }).details(), HasSubstr("cut off"));
    std::filesystem::resize_file(disk_, 50);
    EXPECT_EQ(thrown_error([&] { images_.inspect(disk_, "qcow2"); }).code(), Code::operation_failed);
}

TEST_F(QemuImgDriver, NamesTheFormatOfTheBackingFile) {
    make({"-f", "qcow2", directory_.file("base"), "1M"});
    images_.create_overlay(disk_, directory_.file("base"), "qcow2", MiB);
    Command command;
    command.argv = {"qemu-img", "info", "--output=json", disk_};
    EXPECT_THAT(run(command).output, HasSubstr("\"backing-filename-format\": \"qcow2\""));
}

TEST_F(QemuImgDriver, HandlesNamesThatLookLikeOptionsOrProtocols) {
    std::filesystem::create_directory(directory_.file("nbd:a,b=c"));
    for (const char* name : {"nbd:a,b=c/-f", "nbd:a,b=c/json:{}", "nbd:a,b=c/x,backing_file=y", "nbd:a,b=c/a b'\"\n"}) {
        const std::string path = directory_.file(name);
        images_.create_empty(path, MiB);
        EXPECT_EQ(images_.inspect(path, "").virtual_size, MiB);
        images_.create_overlay(path + ".overlay", path, "qcow2", MiB);
        images_.convert(path + ".overlay", "qcow2", path + ".flat", "raw", {}, cancel_);
        EXPECT_EQ(images_.inspect(path + ".flat", "raw").virtual_size, MiB);
    }
}

TEST_F(QemuImgDriver, FlattensAChain) {
    write_file(directory_.file("base"), std::string(1 << 20, 'b'));
    images_.create_overlay(directory_.file("top"), directory_.file("base"), "raw", 2 * MiB);
    images_.convert(directory_.file("top"), "qcow2", directory_.file("flat"), "raw", {}, cancel_);
    EXPECT_EQ(read_file(directory_.file("flat")), std::string(1 << 20, 'b') + std::string(1 << 20, '\0'));
}

TEST_F(QemuImgDriver, ReportsProgressThatNeverGoesBack) {
    std::vector<int> percents;
    write_file(disk_, std::string(60'000'000, 'd'));
    images_.convert(
        disk_, "raw", directory_.file("target"), "qcow2", [&](int percent) { percents.push_back(percent); }, cancel_);
    ASSERT_GT(percents.size(), 2U);
    EXPECT_TRUE(std::is_sorted(percents.begin(), percents.end()));
    EXPECT_EQ(percents.back(), 100);
}

TEST_F(QemuImgDriver, StopsAConversionInTheMiddle) {
    write_file(disk_, std::string(200'000'000, 'd'));
    EXPECT_EQ(thrown_error([&] {
                  images_.convert(
                      disk_, "raw", directory_.file("target"), "qcow2", [&](int) { cancel_.request(); }, cancel_);
              }).code(),
              Code::job_cancelled);
    EXPECT_THAT(names(), ElementsAre("disk"));
}

TEST_F(QemuImgDriver, SaysThatTheDiskIsFullAndLeavesNothing) {
    write_file(directory_.file("big"), std::string(3'000'000, 'd'));
    TempDirectory small;
    if (!small.become_small_disk("1m")) GTEST_SKIP() << "needs root to mount a small tmpfs: " << std::strerror(errno);
    const auto expect_full = [&](const std::function<void()>& action) {
        const Error error = thrown_error(action);
        EXPECT_EQ(error.code(), Code::storage_allocate);
        EXPECT_THAT(error.details(), HasSubstr("No space left on device"));
    };
    expect_full([&] { images_.convert(directory_.file("big"), "raw", small.file("target"), "qcow2", {}, cancel_); });
    EXPECT_TRUE(std::filesystem::is_empty(small.path()));
    fill_disk(small.file("filler"));
    expect_full([&] { images_.create_empty(small.file("disk"), GiB); });
    expect_full([&] { images_.create_overlay(small.file("disk"), directory_.file("big"), "raw", GiB); });
    std::filesystem::remove(small.file("filler"));
    EXPECT_TRUE(std::filesystem::is_empty(small.path()));
    EXPECT_NO_THROW(images_.create_empty(small.file("disk"), GiB));
}

TEST_F(QemuImgDriver, WaitsForNoPipe) {
    ASSERT_EQ(::mkfifo(disk_.c_str(), 0600), 0);
    EXPECT_EQ(thrown_error([&] { images_.inspect(disk_, ""); }).code(), Code::operation_failed);
    EXPECT_EQ(thrown_error([&] { convert(disk_, "raw"); }).code(), Code::operation_failed);
}

TEST_F(QemuImgDriver, SaysThatTheToolIsMissing) {
    QemuImgSettings settings;
    settings.program = "/no/such/qemu-img";
    QemuImg images(settings);
    const Error error = thrown_error([&] { images.create_empty(disk_, GiB); });
    EXPECT_EQ(error.code(), Code::no_capability) << error.details();
    EXPECT_THAT(names(), ElementsAre());
}

}  // namespace
}  // namespace hvagent
