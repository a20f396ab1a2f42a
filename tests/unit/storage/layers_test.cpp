// Chains of real qcow2 files: followed, estimated, put onto other bases, grown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "drivers/process/command.h"
#include "drivers/qemu_img/qemu_img.h"
#include "tests/fakes/temp_directory.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Layers : public testing::Test {
protected:
    void SetUp() override {
        if (::access("/usr/bin/qemu-img", X_OK) != 0) GTEST_SKIP() << "needs qemu-img";
    }
    std::string file(const std::string& name) const { return directory_.file(name); }
    bool tool(const std::vector<std::string>& words) {
        Command command;
        command.argv = words;
        command.working_directory = directory_.path();
        return run(command).succeeded();
    }
    void create(const std::vector<std::string>& words) {
        std::vector<std::string> all{"qemu-img", "create", "-q", "-f", "qcow2"};
        all.insert(all.end(), words.begin(), words.end());
        ASSERT_TRUE(tool(all)) << words.back();
    }
    // `count` MiB of this byte from MiB `at`.
    void write(const std::string& name, int byte, int at, int count) {
        const std::string words =
            "write -P " + std::to_string(byte) + " " + std::to_string(at) + "M " + std::to_string(count) + "M";
        ASSERT_TRUE(tool({"qemu-io", "-f", "qcow2", "-c", words, file(name)}));
    }
    void make_chain() {
        create({file("base"), "256M"});
        write("base", 1, 0, 30);
        create({"-F", "qcow2", "-b", file("base"), file("mid")});
        write("mid", 2, 20, 20);
        create({"-F", "qcow2", "-b", file("mid"), file("top")});
        write("top", 3, 35, 30);
        ASSERT_TRUE(tool({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", file("top"), file("expected")}));
    }
    bool is_as_expected(const std::string& name) {
        return tool({"qemu-img", "compare", "-f", "qcow2", "-F", "raw", file(name), file("expected")});
    }
    std::vector<std::string> paths(const std::string& name) {
        std::vector<std::string> paths;
        for (const DiskLayer& layer : images_.chain(file(name))) paths.push_back(layer.path);
        return paths;
    }
    Error refusal(const std::string& name) {
        return thrown_error([&] { images_.chain(file(name)); });
    }

    TempDirectory directory_;
    QemuImg images_{QemuImgSettings{}};
    Cancellation cancel_;
};

TEST_F(Layers, AreListedFromTheTop) {
    make_chain();
    const std::vector<DiskLayer> layers = images_.chain(file("top"));
    ASSERT_EQ(layers.size(), 3u);
    EXPECT_THAT(paths("top"), ElementsAre(file("top"), file("mid"), file("base")));
    EXPECT_EQ(layers[0].virtual_size, 256 * MiB);
    EXPECT_GE(layers[2].actual_size, 30 * MiB);
    EXPECT_EQ(layers[1].format, "qcow2");
    ASSERT_TRUE(tool({"truncate", "-s", "1M", file("raw")}));
    create({"-F", "raw", "-b", file("raw"), file("on raw")});
    EXPECT_EQ(images_.chain(file("on raw")).back().format, "raw");
}

TEST_F(Layers, AreRefusedWhenOneIsMissingOrNotWhatItIsSaidToBe) {
    create({"-u", "-F", "qcow2", "-b", file("gone"), file("lost"), "1M"});
    EXPECT_EQ(refusal("lost").code(), Code::operation_failed);
    EXPECT_THAT(refusal("lost").details(), HasSubstr(file("gone") + ", which " + file("lost") + " lies on, is missing"));
    write_file(file("text"), std::string(4096, 'x'));
    create({"-u", "-F", "qcow2", "-b", file("text"), file("wrong"), "1M"});
    EXPECT_THAT(refusal("wrong").details(), HasSubstr("is not a qcow2 image but raw"));
    create({"-u", "-b", file("text"), "-F", "vmdk", file("exotic"), "1M"});
    EXPECT_THAT(refusal("exotic").details(), HasSubstr("expected qcow2 or raw"));
    create({"-o", "data_file=" + file("data"), file("in two"), "1M"});
    create({"-u", "-F", "qcow2", "-b", file("in two"), file("on two"), "1M"});
    EXPECT_THAT(refusal("on two").details(), HasSubstr("keeps its data in another file"));
    create({"-u", "-F", "raw", "-b", "/dev/zero", file("on device"), "1M"});
    EXPECT_THAT(refusal("on device").details(), HasSubstr("not a regular file"));
}

TEST_F(Layers, AreRefusedWhenANameIsMoreThanAPath) {
    for (const std::string name : {"json:{\"driver\":\"nbd\",\"host\":\"127.0.0.1\"}", "nbd:127.0.0.1:1", "relative",
                                   "file:/etc/passwd", "/tmp/../etc/passwd", "/tmp/./passwd"}) {
        std::filesystem::remove(file("bad"));
        create({"-u", "-F", "raw", "-b", name, file("bad"), "1M"});
        EXPECT_EQ(refusal("bad").code(), Code::operation_failed) << name;
        EXPECT_THAT(refusal("bad").details(), HasSubstr("no plain path")) << name;
        for (const auto& use : std::vector<std::function<void()>>{
                 [&] { images_.estimate_flatten(file("bad")); }, [&] { images_.rebase(file("bad"), "", "", {}, cancel_); },
                 [&] { images_.resize(file("bad"), GiB); },
                 [&] { images_.convert(file("bad"), "qcow2", file("out"), "qcow2", {}, cancel_); }})
            EXPECT_EQ(thrown_error(use).code(), Code::operation_failed) << name;
    }
}

TEST_F(Layers, AreRefusedWhenTheyGoRoundOrGoOnForEver) {
    create({"-u", "-F", "qcow2", "-b", file("two"), file("one"), "1M"});
    create({"-u", "-F", "qcow2", "-b", file("one"), file("two"), "1M"});
    EXPECT_THAT(refusal("one").details(), HasSubstr("lies on itself"));
    create({file("0"), "1M"});
    for (int i = 1; i <= 200; ++i) {
        std::filesystem::copy_file(file("one"), file(std::to_string(i)));
        ASSERT_TRUE(tool({"qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", file(std::to_string(i - 1)),
                          file(std::to_string(i))}));
    }
    EXPECT_EQ(images_.chain(file("199")).size(), 200u);
    EXPECT_THAT(refusal("200").details(), HasSubstr("more than 200"));
}

TEST_F(Layers, AreEstimatedAsFlatteningThenDoes) {
    make_chain();
    create({"-F", "qcow2", "-b", file("base"), file("thin")});
    for (const std::string name : {"top", "mid", "thin", "base"}) {
        const FlattenEstimate estimate = images_.estimate_flatten(file(name));
        const Bytes before = images_.chain(file(name)).front().actual_size;
        images_.rebase(file(name), "", "", {}, cancel_);
        const Bytes after = images_.chain(file(name)).front().actual_size;
        EXPECT_NEAR(static_cast<double>(estimate.resulting_size), static_cast<double>(after),
                    0.02 * static_cast<double>(after))
            << name;
        EXPECT_NEAR(static_cast<double>(estimate.bytes_to_copy), static_cast<double>(after - before),
                    0.05 * static_cast<double>(after - before))
            << name;
        EXPECT_THAT(paths(name), ElementsAre(file(name)));
    }
    EXPECT_TRUE(is_as_expected("top"));
}

TEST_F(Layers, ArePutOntoAnotherBaseWithTheSameContent) {
    make_chain();
    std::vector<int> percents;
    images_.rebase(
        file("top"), file("base"), "qcow2", [&](int percent) { percents.push_back(percent); }, cancel_);
    EXPECT_THAT(paths("top"), ElementsAre(file("top"), file("base")));
    EXPECT_EQ(percents.back(), 100);
    EXPECT_TRUE(is_as_expected("top"));
    images_.rebase(file("top"), file("base"), "qcow2", {}, cancel_);
    images_.rebase(file("top"), "", "", {}, cancel_);
    std::filesystem::remove(file("base"));
    std::filesystem::remove(file("mid"));
    EXPECT_TRUE(is_as_expected("top"));
    const ImageCheck check = images_.check(file("top"));
    EXPECT_EQ(check.leaked, 0);
    EXPECT_EQ(check.corruptions, 0);
    EXPECT_EQ(thrown_error([&] { images_.rebase(file("top"), file("top"), "qcow2", {}, cancel_); }).code(),
              Code::invalid_argument);
    EXPECT_EQ(thrown_error([&] { images_.rebase(file("top"), file("gone"), "qcow2", {}, cancel_); }).code(),
              Code::io_failed);
    EXPECT_TRUE(is_as_expected("top"));
}

TEST_F(Layers, StayAsTheyWereWhenARebaseIsCancelledHalfWay) {
    create({file("base"), "1G"});
    write("base", 1, 0, 300);
    create({"-F", "qcow2", "-b", file("base"), file("top")});
    write("top", 2, 100, 1);
    ASSERT_TRUE(tool({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", file("top"), file("expected")}));
    const auto stop = [&](int percent) {
        if (percent > 3 && percent < 90) cancel_.request();
    };
    const Error error = thrown_error([&] { images_.rebase(file("top"), "", "", stop, cancel_); });
    EXPECT_EQ(error.code(), Code::job_cancelled);
    EXPECT_THAT(paths("top"), ElementsAre(file("top"), file("base")));
    EXPECT_TRUE(is_as_expected("top"));
    EXPECT_EQ(images_.check(file("top")).corruptions, 0);
    Cancellation again;
    images_.rebase(file("top"), "", "", {}, again);
    EXPECT_TRUE(is_as_expected("top"));
}

TEST_F(Layers, OnlyGrow) {
    make_chain();
    images_.resize(file("top"), 512 * MiB);
    images_.resize(file("top"), 512 * MiB);
    EXPECT_EQ(images_.chain(file("top")).front().virtual_size, 512 * MiB);
    EXPECT_EQ(thrown_error([&] { images_.resize(file("top"), 256 * MiB); }).code(), Code::invalid_argument);
    EXPECT_EQ(images_.chain(file("top"))[1].virtual_size, 256 * MiB);
}

TEST_F(Layers, CanBeOpenedWhileSomebodyWritesToThem) {
    make_chain();
    Command command;
    command.argv = {"qemu-io", "-f", "qcow2", "-c", "write 0 1M", "-c", "sleep 20000", file("top")};
    const auto size = std::filesystem::file_size(file("top"));
    Cancellation enough;
    std::thread writer([&] {
        try {
            run(command, enough);
        } catch (const Error&) {}
    });
    // Asking a tool would take the lock that the writer needs.
    const auto deadline = std::chrono::steady_clock::now() + seconds(20);
    while (std::filesystem::file_size(file("top")) == size && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(milliseconds(5));
    EXPECT_EQ(images_.chain(file("top")).size(), 3u);
    EXPECT_GT(images_.estimate_flatten(file("top")).bytes_to_copy, 0);
    EXPECT_NO_THROW(images_.create_overlay(file("new"), file("top"), "qcow2", 256 * MiB));
    EXPECT_THROW(images_.rebase(file("top"), "", "", {}, cancel_), Error) << "it is in use";
    EXPECT_THROW(images_.resize(file("top"), GiB), Error);
    enough.request();
    writer.join();
    EXPECT_EQ(images_.chain(file("new")).size(), 4u);
}

}  // namespace
}  // namespace hvagent
