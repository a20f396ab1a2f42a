// What every DiskImages promises, asked of qemu-img and of the fake.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "drivers/qemu_img/qemu_img.h"
#include "tests/fakes/fake_disk_images.h"
#include "tests/fakes/temp_directory.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

class World {
public:
    virtual ~World() = default;
    virtual DiskImages& images() = 0;
    virtual void put_raw(const std::string& path, Bytes size) = 0;
    virtual std::vector<std::string> files(const std::string& directory) = 0;
    virtual bool can_run() const { return true; }
};

class RealWorld final : public World {
public:
    DiskImages& images() override { return images_; }
    void put_raw(const std::string& path, Bytes size) override {
        write_file(path, "");
        std::filesystem::resize_file(path, static_cast<std::uintmax_t>(size));
    }
    std::vector<std::string> files(const std::string& directory) override {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(directory)) names.push_back(entry.path().filename());
        return names;
    }
    bool can_run() const override { return ::access("/usr/bin/qemu-img", X_OK) == 0; }

private:
    QemuImg images_{QemuImgSettings{}};
};

class FakeWorld final : public World {
public:
    DiskImages& images() override { return images_; }
    void put_raw(const std::string& path, Bytes size) override {
        files_.put(path, {"", {"raw", size, 0, "", false, false}, 0});
    }
    std::vector<std::string> files(const std::string& directory) override {
        std::vector<std::string> names;
        for (const std::string& path : files_.paths()) {
            if (path.starts_with(directory + "/")) names.push_back(path.substr(directory.size() + 1));
        }
        return names;
    }

private:
    FakeFileSystem files_;
    FakeDiskImages images_{files_};
};

class DiskImagesContract : public testing::TestWithParam<bool> {
protected:
    void SetUp() override {
        if (GetParam()) {
            world_ = std::make_unique<RealWorld>();
        } else {
            world_ = std::make_unique<FakeWorld>();
        }
        if (!world_->can_run()) GTEST_SKIP() << "needs qemu-img";
    }
    DiskImages& images() { return world_->images(); }
    void convert(const std::string& source, const std::string& source_format, const std::string& target_format) {
        images().convert(
            source, source_format, target_, target_format, [&](int percent) { percent_ = percent; }, cancel_);
    }

    std::unique_ptr<World> world_;
    TempDirectory directory_;
    const std::string disk_ = directory_.file("disk");
    const std::string target_ = directory_.file("target");
    Cancellation cancel_;
    int percent_ = -1;
};

TEST_P(DiskImagesContract, CreatesAnEmptyDisk) {
    images().create_empty(disk_, 10 * GiB);
    for (const char* format : {"qcow2", ""}) {
        const DiskImageInfo info = images().inspect(disk_, format);
        EXPECT_EQ(info.format, "qcow2");
        EXPECT_EQ(info.virtual_size, 10 * GiB);
        EXPECT_LT(info.actual_size, MiB);
        EXPECT_EQ(info.backing_file, "");
        EXPECT_FALSE(info.has_external_data_file);
        EXPECT_FALSE(info.is_encrypted);
    }
    EXPECT_THAT(world_->files(directory_.path()), UnorderedElementsAre("disk"));
}

TEST_P(DiskImagesContract, CreatesAnEmptyRawDisk) {
    images().create_raw(disk_, GiB);
    const DiskImageInfo info = images().inspect(disk_, "raw");
    EXPECT_EQ(info.format, "raw");
    EXPECT_EQ(info.virtual_size, GiB);
    EXPECT_LT(info.actual_size, MiB);
    EXPECT_THAT(world_->files(directory_.path()), UnorderedElementsAre("disk"));
}

TEST_P(DiskImagesContract, CreatesAnOverlay) {
    images().create_empty(disk_, GiB);
    images().create_overlay(target_, disk_, "qcow2", 2 * GiB);
    const DiskImageInfo info = images().inspect(target_, "qcow2");
    EXPECT_EQ(info.virtual_size, 2 * GiB);
    EXPECT_EQ(info.backing_file, disk_);
    EXPECT_THAT(world_->files(directory_.path()), UnorderedElementsAre("disk", "target"));
}

TEST_P(DiskImagesContract, CreatesAnOverlayOnARawDisk) {
    world_->put_raw(disk_, GiB);
    images().create_overlay(target_, disk_, "raw", GiB);
    EXPECT_EQ(images().inspect(target_, "").backing_file, disk_);
}

TEST_P(DiskImagesContract, RefusesAnOverlaySmallerThanItsBase) {
    images().create_empty(disk_, GiB);
    EXPECT_EQ(thrown_error([&] { images().create_overlay(target_, disk_, "qcow2", GiB - 512); }).code(),
              Code::invalid_argument);
    EXPECT_THAT(world_->files(directory_.path()), UnorderedElementsAre("disk"));
}

TEST_P(DiskImagesContract, RefusesAnOverlayOnNothing) {
    EXPECT_EQ(thrown_error([&] { images().create_overlay(target_, disk_, "qcow2", GiB); }).code(), Code::io_failed);
    EXPECT_THAT(world_->files(directory_.path()), UnorderedElementsAre());
}

TEST_P(DiskImagesContract, OverwritesNothing) {
    world_->put_raw(disk_, GiB);
    images().create_empty(target_, MiB);
    EXPECT_EQ(thrown_error([&] { images().create_empty(target_, GiB); }).code(), Code::operation_failed);
    EXPECT_EQ(thrown_error([&] { images().create_overlay(target_, disk_, "raw", GiB); }).code(), Code::operation_failed);
    EXPECT_EQ(thrown_error([&] { convert(disk_, "raw", "qcow2"); }).code(), Code::operation_failed);
    EXPECT_EQ(images().inspect(target_, "qcow2").virtual_size, MiB);
}

TEST_P(DiskImagesContract, ConvertsAndTellsWhenItIsDone) {
    world_->put_raw(disk_, 64 * MiB);
    convert(disk_, "raw", "qcow2");
    EXPECT_EQ(percent_, 100);
    const DiskImageInfo info = images().inspect(target_, "");
    EXPECT_EQ(info.format, "qcow2");
    EXPECT_EQ(info.virtual_size, 64 * MiB);
}

TEST_P(DiskImagesContract, DoesNotBeginACancelledConversion) {
    world_->put_raw(disk_, MiB);
    cancel_.request();
    EXPECT_EQ(thrown_error([&] { convert(disk_, "raw", "qcow2"); }).code(), Code::job_cancelled);
    EXPECT_THAT(world_->files(directory_.path()), UnorderedElementsAre("disk"));
}

TEST_P(DiskImagesContract, DoesNotTakeOneFormatForAnother) {
    world_->put_raw(disk_, GiB);
    EXPECT_EQ(thrown_error([&] { images().inspect(disk_, "qcow2"); }).code(), Code::operation_failed);
    EXPECT_EQ(images().inspect(disk_, "").format, "raw");
}

TEST_P(DiskImagesContract, SaysThatTheFileIsMissing) {
    const Error error = thrown_error([&] { images().inspect(disk_, ""); });
    EXPECT_EQ(error.code(), Code::io_failed);
    EXPECT_THAT(error.details(), HasSubstr(disk_));
}

TEST_P(DiskImagesContract, RemovesAFileOnceAndAgain) {
    images().create_empty(disk_, GiB);
    images().remove(disk_);
    images().remove(disk_);
    EXPECT_THAT(world_->files(directory_.path()), UnorderedElementsAre());
}

TEST_P(DiskImagesContract, WantsAbsolutePaths) {
    for (const char* path : {"disk", "json:{}", "nbd:localhost:10809", ""}) {
        EXPECT_EQ(thrown_error([&] { images().create_empty(path, GiB); }).code(), Code::invalid_argument);
        EXPECT_EQ(thrown_error([&] { images().inspect(path, ""); }).code(), Code::invalid_argument);
        EXPECT_EQ(thrown_error([&] { images().create_overlay(disk_, path, "raw", GiB); }).code(), Code::invalid_argument);
        EXPECT_EQ(thrown_error([&] { images().remove(path); }).code(), Code::invalid_argument);
    }
}

INSTANTIATE_TEST_SUITE_P(Disk, DiskImagesContract, testing::Values(true, false),
                         [](const auto& param) { return std::string(param.param ? "QemuImg" : "Fake"); });

}  // namespace
}  // namespace hvagent
