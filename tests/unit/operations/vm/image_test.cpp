#include "agent/operations/storage/layout.h"
#include "tests/unit/operations/vm/vm_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class AddImageTest : public VmLife {
protected:
    std::string why(const FakeFile& file, const json& more = json::object()) {
        http.serve("http://images/disk", file);
        json request = image_request();
        request.update(more);
        const Error error = failure_of("AddImage", request);
        expect_nothing();
        return error.details();
    }
    void expect_nothing() {
        EXPECT_EQ(inventory.count<Image>(), 0);
        EXPECT_EQ(inventory.count<ImageRef>(), 0);
        EXPECT_THAT(disk.paths(), IsEmpty());
    }
};

TEST_F(AddImageTest, StoresWhatWasFetched) {
    const Image stored = inventory.get<Image>(ImageId(add_image()));
    EXPECT_EQ(stored.status, ImageStatus::ready);
    EXPECT_EQ(stored.size, 2 * GiB);
    EXPECT_EQ(stored.actual_size, MiB);
    EXPECT_EQ(stored.md5.size(), 32u);
    const auto refs = inventory.list<ImageRef>();
    ASSERT_EQ(refs.size(), 1u);
    EXPECT_EQ(refs[0].status, ImageStatus::ready);
    EXPECT_EQ(disk.paths(), std::vector<std::string>{refs[0].install_path});
}

TEST_F(AddImageTest, TakesRawDisksAndIsos) {
    http.serve("http://images/disk", image_file("raw"));
    EXPECT_EQ(inventory.get<Image>(ImageId(create("AddImage", image_request("raw")))).format, "raw");
    const Image iso = inventory.get<Image>(ImageId(add_iso()));
    EXPECT_EQ(iso.format, "iso");
    EXPECT_EQ(iso.media_type, MediaType::iso);
}

TEST_F(AddImageTest, RefusesAFormatThatTheFileDoesNotHave) {
    EXPECT_THAT(why(image_file("vmdk")), HasSubstr("says qcow2, but http://images/disk is vmdk"));
    EXPECT_THAT(why(image_file("qcow2"), {{"format", "raw"}}), HasSubstr("says raw"));
    EXPECT_THAT(why(image_file("qcow2"), {{"format", "iso"}, {"mediaType", "ISO"}}), HasSubstr("says iso"));
    EXPECT_THAT(why(image_file(), {{"format", "iso"}}), HasSubstr("must be ISO"));
}

TEST_F(AddImageTest, RefusesHostileImages) {
    FakeFile file = image_file();
    file.image.backing_file = "/etc/shadow";
    EXPECT_THAT(why(file), HasSubstr("has a backing file"));
    file = image_file();
    file.image.has_external_data_file = true;
    EXPECT_THAT(why(file), HasSubstr("keeps its data in another file"));
    file = image_file();
    file.image.is_encrypted = true;
    EXPECT_THAT(why(file), HasSubstr("is encrypted"));
    EXPECT_THAT(why(image_file("qcow2", settings.image_max_size + 1)), HasSubstr("virtual size"));
    EXPECT_THAT(why(image_file("qcow2", 0)), HasSubstr("is empty"));
}

TEST_F(AddImageTest, RefusesOtherSchemesAndTags) {
    EXPECT_THAT(why(image_file(), {{"url", "gopher://images/disk"}}), HasSubstr("its scheme is \"gopher\""));
    EXPECT_THAT(why(image_file(), {{"systemTags", {"colour::red"}}}), HasSubstr("'colour::red'"));
}

TEST_F(AddImageTest, LeavesNothingOfADownloadThatFails) {
    EXPECT_THAT(why(image_file(), {{"url", "http://images/nothing"}}), HasSubstr("404"));
    FakeFile large = image_file();
    large.allocated = 101 * GiB;
    EXPECT_THAT(why(large), HasSubstr("too large"));
    files.faults.fail_next("publish", Error(Code::io_failed, "disk error"));
    EXPECT_THAT(why(image_file()), HasSubstr("disk error"));
    files.faults.fail_next("md5", Error(Code::io_failed, "disk error"));
    EXPECT_THAT(why(image_file()), HasSubstr("disk error"));
}

TEST_F(AddImageTest, NeedsAnImageStoreThatIsEnabled) {
    inventory.modify<BackupStorage>(BackupStorageId(made("backup-storage")),
                                    [](BackupStorage& storage) { storage.state = EnabledState::disabled; });
    EXPECT_THAT(why(image_file()), HasSubstr("is Disabled"));
}

class AddImageInLives : public VmLife {
protected:
    Error interrupt(FakeJob& job, CancelReason reason) {
        http.serve("http://images/disk", image_file());
        http.faults.hang("download");
        std::optional<Error> ended;
        std::thread worker([&] {
            try {
                run(job, "AddImage", request);
            } catch (const Error& error) {
                ended = error;
            }
        });
        EXPECT_TRUE(http.faults.wait_until_hanging("download"));
        EXPECT_EQ(inventory.list<Image>().at(0).status, ImageStatus::downloading);
        job.cancellation().request(reason);
        worker.join();
        http.faults.release("download");
        return ended.value_or(Error(Code::internal, "the job was not interrupted"));
    }
    json request = [this] {
        json named = image_request();
        named["resourceUuid"] = make_uuid();
        return named;
    }();
};

TEST_F(AddImageInLives, LeavesNothingWhenCancelled) {
    FakeJob job(clock);
    EXPECT_EQ(interrupt(job, CancelReason::asked).code(), Code::job_cancelled);
    EXPECT_EQ(inventory.count<Image>(), 0);
    EXPECT_THAT(disk.paths(), IsEmpty());
}

TEST_F(AddImageInLives, GoesOnInTheNextLifeOfTheDaemon) {
    FakeJob job(clock);
    interrupt(job, CancelReason::stopping);
    FakeJob again = job.next_life();
    run(again, "AddImage", request);
    const auto images_now = inventory.list<Image>();
    ASSERT_EQ(images_now.size(), 1u);
    EXPECT_EQ(images_now[0].status, ImageStatus::ready);
    EXPECT_EQ(disk.paths().size(), 1u);
}

class ImageCacheTest : public VmLife {
protected:
    ImageCacheTest() {
        record = inventory.get<Image>(ImageId(add_image()));
        storage = inventory.get<PrimaryStorage>(PrimaryStorageId(made("primary-storage")));
    }
    std::string fetch() { return cache.fetch(record, storage, {}, never); }

    Image record;
    PrimaryStorage storage;
    Cancellation never;
};

TEST_F(ImageCacheTest, CopiesAnImageOnceForAll) {
    files.faults.hang("copy");
    std::string first_path, second_path;
    std::thread first([&] { first_path = fetch(); });
    ASSERT_TRUE(files.faults.wait_until_hanging("copy"));
    std::thread second([&] { second_path = fetch(); });
    files.faults.release("copy");
    first.join();
    second.join();
    EXPECT_EQ(first_path, second_path);
    EXPECT_TRUE(disk.find(first_path));
    files.faults.fail_next("copy", Error(Code::internal, "copied twice"));
    EXPECT_EQ(fetch(), first_path);
}

TEST_F(ImageCacheTest, LetsACancelledJobStopWaitingForTheCopyOfAnother) {
    files.faults.hang("copy");
    std::thread first([&] { fetch(); });
    ASSERT_TRUE(files.faults.wait_until_hanging("copy"));
    Cancellation cancel;
    std::optional<Error> ended;
    std::thread second([&] {
        try {
            cache.fetch(record, storage, {}, cancel);
        } catch (const Error& error) {
            ended = error;
        }
    });
    cancel.request();
    second.join();
    files.faults.release("copy");
    first.join();
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->code(), Code::job_cancelled);
}

TEST_F(ImageCacheTest, SaysWhyAnImageCannotBeHad) {
    const std::string stored = inventory.list<ImageRef>().at(0).install_path;
    disk.leave_only(KiB);
    EXPECT_EQ(thrown_error([&] { fetch(); }).code(), Code::storage_allocate);
    disk.remove(stored);
    EXPECT_THAT(thrown_error([&] { fetch(); }).details(), HasSubstr(stored + " is gone"));
    inventory.remove<ImageRef>(inventory.list<ImageRef>().at(0).uuid);
    EXPECT_THAT(thrown_error([&] { fetch(); }).details(), HasSubstr("stored nowhere"));
}

}  // namespace
}  // namespace hvagent::operations
