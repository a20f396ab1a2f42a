// AddImage: formats, checksums, several backup storages, secrets.
#include "agent/operations/image/source_url.h"
#include "tests/unit/operations/image/image_fixture.h"

namespace hvagent::operations {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class ImageArrival : public Images {
protected:
    json request_for(const FakeFile& file, const json& more = json::object()) {
        http.serve("http://images/disk", file);
        json request = image_request(file.image.format);
        request.update(more);
        return request;
    }
    Error why(const json& request) {
        const Error error = failure_of("AddImage", request);
        EXPECT_EQ(inventory.count<Image>(), 0);
        EXPECT_EQ(inventory.count<ImageRef>(), 0);
        EXPECT_THAT(disk.paths(), IsEmpty());
        return error;
    }
};

TEST_F(ImageArrival, StoresForeignFormatsAsQcow2) {
    for (const char* format : {"vmdk", "vdi", "vhdx", "vpc"}) {
        const Image stored = record_of(create("AddImage", request_for(image_file(format))));
        EXPECT_EQ(stored.format, "qcow2");
        const std::string path = refs(stored.uuid.str()).at(0).install_path;
        EXPECT_THAT(path, HasSubstr(".qcow2"));
        EXPECT_EQ(disk.get(path).image.format, "qcow2");
        EXPECT_THAT(files_below(path.substr(0, path.rfind('/'))), SizeIs(1)) << "the download is left";
    }
}

TEST_F(ImageArrival, RefusesASmallFileThatUnfoldsToMoreThanThereIsRoomFor) {
    FakeFile bomb = image_file("vmdk");
    bomb.image.actual_size = MiB;
    bomb.allocated = MiB;
    disk.leave_only(3 * MiB / 2);
    const Error error = why(request_for(bomb));
    EXPECT_THAT(error.details(), HasSubstr("needs up to 1.0 MiB"));
}

TEST_F(ImageArrival, LeavesNothingOfAConversionThatFails) {
    images.faults.fail_next("convert", Error(Code::storage_allocate, "No space left on device"));
    EXPECT_EQ(why(request_for(image_file("vdi"))).code(), Code::image_download);
}

TEST_F(ImageArrival, ComparesTheChecksumOfWhatCame) {
    const std::string right = [&] {
        const std::string uuid = create("AddImage", request_for(image_file()));
        return record_of(uuid).md5;
    }();
    const auto with = [&](const std::string& tag) { return request_for(image_file(), {{"systemTags", {tag}}}); };
    const std::string uuid = create("AddImage", with("checksum::md5::" + right));
    EXPECT_THAT(inventory.tags_of(uuid, "System"), IsEmpty()) << "VMs would inherit it";
    EXPECT_NO_THROW(create("AddImage", with("checksum::sha256::" + right + right)));
    EXPECT_EQ(inventory.count<Image>(), 3);
}

TEST_F(ImageArrival, RefusesAFileWithAnotherChecksum) {
    const std::string wrong(64, 'a');
    const Error error = why(request_for(image_file(), {{"systemTags", {"checksum::sha256::" + wrong}}}));
    EXPECT_EQ(error.code(), Code::invalid_argument);
    EXPECT_THAT(error.details(), AllOf(HasSubstr("expected " + wrong), HasSubstr("sha256")));
}

TEST_F(ImageArrival, RefusesChecksumsThatAreNone) {
    for (const char* tag : {"checksum::sha256", "checksum::sha1::00", "checksum::md5::zz", "checksum::md5::aa"})
        EXPECT_EQ(why(request_for(image_file(), {{"systemTags", {tag}}})).code(), Code::invalid_argument) << tag;
}

TEST_F(ImageArrival, FetchesOnceForSeveralBackupStorages) {
    const std::string uuid = add_to_both();
    EXPECT_THAT(refs(uuid), SizeIs(2));
    for (const ImageRef& ref : refs(uuid)) {
        EXPECT_EQ(ref.status, ImageStatus::ready);
        EXPECT_TRUE(disk.find(ref.install_path));
    }
}

TEST_F(ImageArrival, IsASuccessWhenOneBackupStorageHasIt) {
    files.faults.fail_next("copy", Error(Code::io_failed, "disk error"));
    const std::string uuid = add_to_both();
    EXPECT_EQ(record_of(uuid).status, ImageStatus::ready);
    EXPECT_EQ(ref_on(uuid, first()).status, ImageStatus::ready);
    EXPECT_EQ(ref_on(uuid, second).status, ImageStatus::error);
    EXPECT_THAT(files_below("/srv/second"), IsEmpty());
}

TEST_F(ImageArrival, GoesToTheSecondStorageWhenTheFirstFails) {
    files.faults.fail_next("publish", Error(Code::io_failed, "disk error"));
    const std::string uuid = add_to_both();
    EXPECT_EQ(ref_on(uuid, first()).status, ImageStatus::error);
    EXPECT_EQ(ref_on(uuid, second).status, ImageStatus::ready);
    EXPECT_THAT(disk.paths(), SizeIs(1));
    EXPECT_NO_THROW(create_vm({{"imageUuid", uuid}}));
}

TEST_F(ImageArrival, KeepsAndShowsNoCredentials) {
    http.serve("http://user:hush@images/disk", image_file());
    json request = image_request();
    request["url"] = "http://user:hush@images/disk";
    EXPECT_EQ(record_of(create("AddImage", request)).url, "http://***@images/disk");
    request["url"] = "http://user:hush@images/none?signature=hush";
    EXPECT_THAT(failure_of("AddImage", request).details(), Not(HasSubstr("hush")));
    const api::Row* row = catalog->find("AddImage");
    EXPECT_THAT(api::mask_secrets(*row, row->accept(request)).dump(), Not(HasSubstr("hush")));
    request["url"] = "http://user:hush@images/" + std::string(1100, 'x');
    EXPECT_THAT(failure_of("AddImage", request).details(), Not(HasSubstr("hush")));
}

TEST(SourceUrl, IsShownWithoutSecrets) {
    EXPECT_EQ(without_secrets("https://a:b@host/x"), "https://***@host/x");
    EXPECT_EQ(without_secrets("sftp://user@host/x"), "sftp://***@host/x");
    EXPECT_EQ(without_secrets("http://host:80/a@b"), "http://host:80/a@b");
    EXPECT_EQ(without_secrets("http://[::1]:80/a@b"), "http://[::1]:80/a@b");
    EXPECT_EQ(without_secrets("http://a:b/c@host/x"), "http://***@host/x");
    EXPECT_EQ(without_secrets("http://a:b@c@host/x"), "http://***@host/x");
    EXPECT_EQ(without_secrets("http://host/x?sig=1#f"), "http://host/x?...");
    EXPECT_EQ(without_secrets("http://host/x#f@g"), "http://host/x");
    EXPECT_EQ(without_secrets("file:///srv/a@b?c"), "file:///srv/a@b?c");
    EXPECT_EQ(without_secrets("/srv/a"), "/srv/a");
}

}  // namespace
}  // namespace hvagent::operations
