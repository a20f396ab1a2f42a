// Copies of expunged images on the primary storage.
#include "tests/unit/operations/image/image_fixture.h"

namespace hvagent::operations {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class UnusedCache : public Images {
protected:
    void expunge_image(const std::string& uuid) {
        call("DeleteImage", {{"uuid", uuid}});
        call("ExpungeImage", {{"imageUuid", uuid}});
    }
    void remove_vm(const VmId& vm) {
        act("DestroyVmInstance", vm);
        act("ExpungeVmInstance", vm);
    }
    // The layers of the VM's root volume are merged.
    void flatten(const VmId& vm) {
        Cancellation never;
        images.rebase(root_of(vm).install_path, "", "", {}, never);
    }
};

TEST_F(UnusedCache, GoesWithTheImageWhenNothingLiesOnIt) {
    const VmId vm = create_vm();
    remove_vm(vm);
    EXPECT_THAT(cached(), SizeIs(1));
    expunge_image(image);
    EXPECT_THAT(disk.paths(), IsEmpty());
}

TEST_F(UnusedCache, StaysForTheNextVmWhileTheImageIsThere) {
    remove_vm(create_vm());
    cache.drop_unused();
    EXPECT_THAT(cached(), SizeIs(1));
    call("DeleteImage", {{"uuid", image}});
    cache.drop_unused();
    EXPECT_THAT(cached(), SizeIs(1)) << "it may be recovered";
}

TEST_F(UnusedCache, StaysWhileAnyLayerLiesOnIt) {
    const VmId vm = create_vm();
    const std::string layer = root_of(vm).install_path;
    disk.put(layer + ".snapshot", disk.get(layer));  // a layer that no record knows
    expunge_image(image);
    flatten(vm);
    cache.drop_unused();
    EXPECT_THAT(cached(), SizeIs(1));
    disk.remove(layer + ".snapshot");
    cache.drop_unused();
    EXPECT_THAT(cached(), IsEmpty());
}

TEST_F(UnusedCache, StaysWhileAVolumeIsAboutToBeMadeOfIt) {
    const VmId vm = create_vm();
    expunge_image(image);
    disk.remove(root_of(vm).install_path);
    inventory.modify<Volume>(record(vm).root_volume, [](Volume& volume) { volume.status = VolumeStatus::creating; });
    cache.drop_unused();
    EXPECT_THAT(cached(), SizeIs(1));
}

TEST_F(UnusedCache, StaysOnASharedStorageWhereOthersMayLieOnIt) {
    const VmId vm = create_vm();
    inventory.modify<PrimaryStorage>(PrimaryStorageId(made("primary-storage")),
                                     [](PrimaryStorage& storage) { storage.type = shared_mount_point; });
    remove_vm(vm);
    expunge_image(image);
    cache.drop_unused();
    EXPECT_THAT(cached(), SizeIs(1));
}

TEST_F(UnusedCache, StaysWhenAFileCannotBeJudged) {
    const VmId vm = create_vm();
    expunge_image(image);
    flatten(vm);
    images.faults.fail_next("inspect", Error(Code::io_failed, "disk error"));
    EXPECT_NO_THROW(cache.drop_unused());
    EXPECT_THAT(cached(), SizeIs(1));
}

}  // namespace
}  // namespace hvagent::operations
