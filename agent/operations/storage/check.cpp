#include "agent/operations/storage/check.h"

#include <algorithm>
#include <map>
#include <set>

#include "agent/operations/storage/layout.h"
#include "agent/operations/vm/ownership.h"
#include "agent/operations/volume/volume_user.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

using nlohmann::json;

// One look at everything.
class Look {
public:
    Look(Services& services, Job& job, bool deep) : services_(services), job_(job), deep_(deep) {}

    std::vector<Finding> all() {
        for (const Volume& volume : services_.inventory.list<Volume>()) look_at(volume);
        for (const Vm& vm : services_.inventory.list<Vm>()) owned_.insert(owner_note_path(services_, vm));
        for (const PrimaryStorage& storage : services_.inventory.list<PrimaryStorage>()) look_for_orphans(storage);
        for (const ImageRef& ref : services_.inventory.list<ImageRef>()) look_at(ref);
        for (const BackupStorage& storage : services_.inventory.list<BackupStorage>()) look_for_orphans(storage);
        return std::move(findings_);
    }

    // Of a shared storage: files that nothing here owns may be other hosts'.
    json not_judged() const {
        json list = json::array();
        for (const auto& [url, count] : foreign_)
            list.push_back({{"path", url},
                            {"files", count},
                            {"details",
                             "nothing here owns them; whether other hosts do cannot be judged, for the storage is "
                             "shared"}});
        return list;
    }

private:
    void say(FindingKind kind, const std::string& path, const char* resource, const std::string& uuid, std::string details) {
        findings_.push_back({kind, path, resource, uuid, std::move(details)});
    }

    void say_orphan(const std::string& path, const char* why) {
        const bool unfinished = path.find(".part-") != std::string::npos;
        say(FindingKind::orphan, path, "", "",
            unfinished ? "an unfinished copy: of a job at work, or left by a crash until the job is done again" : why);
    }

    void look_at(const Volume& volume) {
        job_.cancellation().check();
        const auto snapshots = services_.inventory.list<VolumeSnapshot>({{"volumeUuid", volume.uuid.str()}});
        for (const VolumeSnapshot& snapshot : snapshots) {
            owned_.insert(snapshot.install_path);
            if (!services_.files.exists(snapshot.install_path))
                say(FindingKind::missing, snapshot.install_path, "VolumeSnapshot", snapshot.uuid.str(),
                    "the layer of snapshot " + snapshot.name + " is gone");
        }
        if (volume.install_path.empty()) return;
        owned_.insert(volume.install_path);
        if (!services_.files.exists(volume.install_path))
            return say(FindingKind::missing, volume.install_path, "Volume", volume.uuid.str(),
                       "the file of volume " + volume.name + " is gone");
        look_at_chain(volume, snapshots);
    }

    void look_at_chain(const Volume& volume, const std::vector<VolumeSnapshot>& snapshots) {
        if (volume.format != "qcow2") return;
        try {
            const std::vector<DiskLayer> chain = services_.disk_images.chain(volume.install_path);
            if (chain.front().virtual_size != volume.size)
                say(FindingKind::wrong_format, volume.install_path, "Volume", volume.uuid.str(),
                    "it has " + std::to_string(chain.front().virtual_size) + " bytes, the inventory says " +
                        std::to_string(volume.size));
            for (std::size_t i = 1; i < chain.size(); ++i) bases_.insert(chain[i].path);
            const std::vector<std::string> expected = lineage(volume, snapshots);
            for (std::size_t i = 0; i + 1 < chain.size(); ++i) look_at_base(volume, chain, expected, i);
            if (chain.size() < expected.size())
                say(FindingKind::wrong_chain, chain.back().path, "Volume", volume.uuid.str(),
                    "it lies on nothing; the inventory says on " + expected[chain.size()]);
            if (deep_ && access_of(services_, volume) == DiskAccess::offline) look_inside(volume);
        } catch (const Error& error) {
            if (error.code() == Code::job_cancelled) throw;
            // Of access_of: whoever may be writing to it, its chain was found right before.
            if (error.code() == Code::vm_wrong_state)
                return log::warning("a volume was not looked into",
                                    {{"volume", volume.uuid.str()}, {"reason", error.details()}});
            say(FindingKind::wrong_chain, volume.install_path, "Volume", volume.uuid.str(), error.details());
        }
    }

    // The active layer, and the layers of the snapshots it lies on.
    std::vector<std::string> lineage(const Volume& volume, const std::vector<VolumeSnapshot>& snapshots) {
        std::vector<std::string> paths{volume.install_path};
        std::map<SnapshotId, const VolumeSnapshot*> by_id;
        for (const VolumeSnapshot& snapshot : snapshots) by_id[snapshot.uuid] = &snapshot;
        for (const VolumeSnapshot& snapshot : snapshots) {
            const auto tree = services_.inventory.find<SnapshotTree>(snapshot.tree);
            if (!tree || !tree->current || !snapshot.latest) continue;
            for (const VolumeSnapshot* layer = &snapshot; layer;
                 layer = layer->parent.empty() ? nullptr : by_id[layer->parent])
                paths.push_back(layer->install_path);
            return paths;
        }
        return paths;
    }

    // Below what the inventory knows only a cached image may lie.
    void look_at_base(const Volume& volume, const std::vector<DiskLayer>& chain, const std::vector<std::string>& expected,
                      std::size_t layer) {
        const std::string& base = chain[layer + 1].path;
        const bool known = layer + 1 < expected.size();
        if (known ? base == expected[layer + 1] : base.find("/imagecache/") != std::string::npos) return;
        say(FindingKind::wrong_chain, chain[layer].path, "Volume", volume.uuid.str(),
            "it lies on " + base + "; the inventory says on " + (known ? expected[layer + 1] : "an image or nothing"));
    }

    void look_inside(const Volume& volume) {
        const ImageCheck check = services_.disk_images.check(volume.install_path);
        if (check.corruptions > 0)
            say(FindingKind::corrupt, volume.install_path, "Volume", volume.uuid.str(),
                std::to_string(check.corruptions) + " errors in its metadata");
        else if (check.leaked > 0)
            say(FindingKind::leak, volume.install_path, "Volume", volume.uuid.str(),
                human_size(check.leaked) + " are allocated and not used");
    }

    void look_for_orphans(const PrimaryStorage& storage) {
        for (const std::string& path : services_.files.files_below(storage.url)) {
            if (owned_.contains(path) || is_cached_image(path)) continue;
            if (storage.type == shared_mount_point)
                ++foreign_[storage.url];
            else
                say_orphan(path, "no volume, snapshot or image owns it");
        }
    }
    bool is_cached_image(const std::string& path) const {
        for (const Image& image : services_.inventory.list<Image>())
            for (const PrimaryStorage& storage : services_.inventory.list<PrimaryStorage>())
                if (path == cached_image_path(storage, image)) return true;
        return path.find("/imagecache/") != std::string::npos && bases_.contains(path);
    }

    void look_at(const ImageRef& ref) {
        const auto image = services_.inventory.find<Image>(ref.image);
        owned_.insert(ref.install_path);
        if (ref.status != ImageStatus::ready) {
            for (const char* ending : {".download", ".download.state"}) owned_.insert(ref.install_path + ending);
            return;
        }
        if (!services_.files.exists(ref.install_path))
            return say(FindingKind::missing, ref.install_path, "Image", ref.image.str(),
                       "the file of image " + (image ? image->name : ref.image.str()) + " is gone");
        if (!image) return;
        const std::string format = image->format == "iso" ? "raw" : image->format;
        try {
            const DiskImageInfo info = services_.disk_images.inspect(ref.install_path, format);
            if (info.virtual_size != image->size)
                say(FindingKind::wrong_format, ref.install_path, "Image", ref.image.str(),
                    "it has " + std::to_string(info.virtual_size) + " bytes, the inventory says " +
                        std::to_string(image->size));
        } catch (const Error& error) {
            say(FindingKind::wrong_format, ref.install_path, "Image", ref.image.str(), error.details());
        }
    }

    void look_for_orphans(const BackupStorage& storage) {
        for (const std::string& path : services_.files.files_below(storage.url))
            if (!owned_.contains(path)) say_orphan(path, "no image owns it");
    }

    Services& services_;
    Job& job_;
    const bool deep_;
    std::vector<Finding> findings_;
    std::set<std::string> owned_;         // files that a record names
    std::set<std::string> bases_;         // cached images that a volume lies on
    std::map<std::string, int> foreign_;  // by the directory of a shared storage
};

json to_json(const Finding& finding) {
    json out{{"kind", to_text(finding.kind)}, {"path", finding.path}, {"details", finding.details}};
    if (!finding.resource.empty()) out["resource"] = finding.resource;
    if (!finding.uuid.empty()) out["uuid"] = finding.uuid;
    return out;
}

}  // namespace

json check_storage(Services& services, Job& job, const CheckStorage& params) {
    Look look(services, job, params.deep);
    const std::vector<Finding> first = look.all();
    json findings = json::array();
    if (!first.empty()) {
        job.progress(60, "look again");
        for (const Finding& finding : Look(services, job, params.deep).all())
            if (std::find(first.begin(), first.end(), finding) != first.end()) findings.push_back(to_json(finding));
    }
    return {{"findings", findings}, {"notJudged", look.not_judged()}};
}

}  // namespace hvagent::operations
