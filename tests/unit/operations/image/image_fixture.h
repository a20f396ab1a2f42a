// Images on a host in memory, with a second image store.
#pragma once
#include "tests/unit/operations/vm/vm_fixture.h"

namespace hvagent::operations {

class Images : public VmLife {
protected:
    Images() {
        second = create("AddImageStoreBackupStorage", {{"name", "second"},
                                                       {"url", "/srv/second"},
                                                       {"hostname", "localhost"},
                                                       {"username", "root"},
                                                       {"password", "secret"}});
        call("AttachBackupStorageToZone", {{"backupStorageUuid", second}, {"zoneUuid", made("zone")}});
    }
    std::string first() const { return *find_default(inventory, "backup-storage"); }
    std::string add_to_both() {
        http.serve("http://images/disk", image_file());
        json request = image_request();
        request["backupStorageUuids"] = {first(), second};
        return create("AddImage", request);
    }
    Image record_of(const std::string& uuid) { return inventory.get<Image>(ImageId(uuid)); }
    std::vector<ImageRef> refs(const std::string& uuid) { return inventory.list<ImageRef>({{"imageUuid", uuid}}); }
    ImageRef ref_on(const std::string& uuid, const std::string& storage) {
        return inventory.get<ImageRef>(uuid + "-" + storage);
    }
    std::vector<std::string> files_below(const std::string& directory) {
        std::vector<std::string> found;
        for (const std::string& path : disk.paths())
            if (path.starts_with(directory)) found.push_back(path);
        return found;
    }
    std::vector<std::string> cached() {
        std::vector<std::string> found;
        for (const std::string& path : disk.paths())
            if (path.find("/imagecache/") != std::string::npos) found.push_back(path);
        return found;
    }
    Volume root_of(const VmId& vm) { return inventory.get<Volume>(record(vm).root_volume); }

    std::string second;
};

}  // namespace hvagent::operations
