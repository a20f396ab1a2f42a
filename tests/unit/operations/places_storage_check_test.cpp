#include "agent/operations/storage/layout.h"
#include "tests/unit/operations/places_fixture.h"

namespace hvagent::operations {
namespace {

class StorageCheck : public Places {
protected:
    StorageCheck() {
        start();
        storage = inventory.get<PrimaryStorage>(PrimaryStorageId(made("primary-storage")));
    }
    std::vector<std::string> findings(bool deep = false) {
        std::vector<std::string> found;
        const auto before = disk.paths();
        const json answer = call("CheckStorage", {{"deep", deep}});
        for (const json& finding : answer["findings"])
            found.push_back(finding["kind"].get<std::string>() + " " + finding["path"].get<std::string>());
        EXPECT_EQ(disk.paths(), before);
        return found;
    }
    void put_layer(const std::string& path, const std::string& backing = "", Bytes size = GiB) {
        disk.put(path, {"", {"qcow2", size, MiB, backing, false, false}, MiB});
    }
    Volume add_made_volume() {
        const VolumeId id = add_volume(storage.uuid.str());
        const std::string path = volume_path(storage, inventory.get<Volume>(id));
        put_layer(path);
        inventory.modify<Volume>(id, [&](Volume& record) {
            record.install_path = path;
            record.status = VolumeStatus::ready;
        });
        return inventory.get<Volume>(id);
    }
    // Freezes the active layer of `volume`.
    VolumeSnapshot add_snapshot(Volume& volume) {
        SnapshotTree tree;
        tree.uuid = SnapshotTreeId::make();
        tree.volume = volume.uuid;
        inventory.insert(tree);
        VolumeSnapshot snapshot;
        snapshot.uuid = SnapshotId::make();
        snapshot.volume = volume.uuid;
        snapshot.tree = tree.uuid;
        snapshot.install_path = volume.install_path;
        inventory.insert(snapshot);
        const std::string overlay = volume_directory(storage, volume) + "/snapshots/" + snapshot.uuid.str() + ".qcow2";
        put_layer(overlay, volume.install_path);
        inventory.modify<Volume>(volume.uuid, [&](Volume& record) { record.install_path = overlay; });
        volume = inventory.get<Volume>(volume.uuid);
        return snapshot;
    }

    PrimaryStorage storage;
};

TEST_F(StorageCheck, FilesOfOtherHostsOnASharedStorageAreNotJudged) {
    inventory.modify<PrimaryStorage>(storage.uuid, [](PrimaryStorage& record) { record.type = shared_mount_point; });
    const Volume volume = add_made_volume();
    put_layer(storage.url + "/rootVolumes/left.qcow2");
    put_layer(storage.url + "/imagecache/template/x/x.qcow2");
    EXPECT_TRUE(findings().empty());
    const json note = call("CheckStorage", json::object())["notJudged"];
    ASSERT_EQ(note.size(), 1u);
    EXPECT_EQ(note[0]["path"], storage.url);
    EXPECT_EQ(note[0]["files"], 2);
    disk.remove(volume.install_path);
    EXPECT_EQ(findings(), std::vector<std::string>{"missing " + volume.install_path});  // what is ours is judged
}

TEST_F(StorageCheck, FindsNothingWhereAllIsRight) {
    Volume volume = add_made_volume();
    add_snapshot(volume);
    EXPECT_TRUE(findings(true).empty());
}

TEST_F(StorageCheck, FindsWhatNobodyOwnsAndWhatIsGone) {
    Volume volume = add_made_volume();
    const VolumeSnapshot snapshot = add_snapshot(volume);
    put_layer(storage.url + "/rootVolumes/left.qcow2");
    EXPECT_EQ(findings(), std::vector<std::string>{"orphan " + storage.url + "/rootVolumes/left.qcow2"});
    disk.remove(storage.url + "/rootVolumes/left.qcow2");
    disk.remove(snapshot.install_path);
    const auto found = findings();
    EXPECT_NE(std::find(found.begin(), found.end(), "missing " + snapshot.install_path), found.end());
    disk.remove(volume.install_path);
    EXPECT_EQ(findings(), (std::vector<std::string>{"missing " + snapshot.install_path, "missing " + volume.install_path}));
}

TEST_F(StorageCheck, FindsLayersOnTheWrongBase) {
    Volume volume = add_made_volume();
    const VolumeSnapshot snapshot = add_snapshot(volume);
    put_layer(volume.install_path);
    EXPECT_EQ(findings(), std::vector<std::string>{"wrongChain " + volume.install_path});
    const std::string stranger = volume_directory(storage, volume) + "/stranger.qcow2";
    put_layer(stranger);
    put_layer(volume.install_path, stranger);
    EXPECT_EQ(findings(), (std::vector<std::string>{"wrongChain " + volume.install_path, "orphan " + stranger}));
    put_layer(volume.install_path, snapshot.install_path, 2 * GiB);
    disk.remove(stranger);
    EXPECT_EQ(findings(), std::vector<std::string>{"wrongFormat " + volume.install_path});
}

TEST_F(StorageCheck, LooksInsideOnlyWhenAsked) {
    const Volume damaged = add_made_volume(), leaking = add_made_volume();
    images.checks[damaged.install_path] = {0, 3};
    images.checks[leaking.install_path] = {GiB, 0};
    EXPECT_TRUE(findings().empty());
    auto found = findings(true);
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, (std::vector<std::string>{"corrupt " + damaged.install_path, "leak " + leaking.install_path}));
}

}  // namespace
}  // namespace hvagent::operations
