// qemu-img without images: files of a FakeFileSystem.
#pragma once
#include <map>
#include <string>

#include "hvagent/drivers/disk_images.h"
#include "tests/fakes/fake_file_system.h"
#include "tests/fakes/faults.h"

namespace hvagent {

class FakeDiskImages final : public DiskImages {
public:
    explicit FakeDiskImages(FakeFileSystem& files) : files_(files) {}

    DiskImageInfo inspect(const std::string& path, const std::string& format) override {
        faults.happen("inspect");
        require_absolute(path);
        DiskImageInfo info = files_.get(path).image;
        if (format == "raw" && info.format != "raw") return {"raw", info.actual_size, info.actual_size, "", false, false};
        if (!format.empty() && format != info.format) {
            throw Error(Code::operation_failed, path + " is not a " + format + " image but " + info.format);
        }
        return info;
    }
    void create_empty(const std::string& path, Bytes virtual_size) override {
        faults.happen("create_empty");
        require_absolute(path);
        add(path, {"qcow2", virtual_size, empty_image_size, "", false, false});
    }
    void create_raw(const std::string& path, Bytes size) override {
        faults.happen("create_raw");
        require_absolute(path);
        add(path, {"raw", size, 0, "", false, false});
    }
    void create_overlay(const std::string& path, const std::string& backing, const std::string& backing_format,
                        Bytes virtual_size) override {
        faults.happen("create_overlay");
        require_absolute(path);
        require_absolute(backing);
        if (virtual_size < inspect(backing, backing_format).virtual_size) {
            throw Error(Code::invalid_argument, "the image " + path + " would be smaller than its base");
        }
        add(path, {"qcow2", virtual_size, empty_image_size, backing, false, false});
    }
    void convert(const std::string& source, const std::string& source_format, const std::string& target,
                 const std::string& target_format, const ProgressPercent& progress, Cancellation& cancel) override {
        cancel.check();
        faults.happen("convert", &cancel);
        require_absolute(target);
        DiskImageInfo info = inspect(source, source_format);
        if (info.has_external_data_file || info.is_encrypted) {
            throw Error(Code::operation_failed, "the image " + source + " keeps its data elsewhere or encrypted");
        }
        info.format = target_format;
        info.backing_file.clear();
        add(target, info);
        if (progress) progress(100);
    }
    Bytes measure(const std::string& path, const std::string&) override {
        faults.happen("measure");
        Bytes sum = 0;
        for (const DiskLayer& layer : chain(path)) sum += layer.actual_size;
        return sum;
    }
    std::vector<DiskLayer> chain(const std::string& path) override {
        faults.happen("chain");
        std::vector<DiskLayer> layers;
        for (std::string layer = path; !layer.empty();) {
            const FakeFile file = files_.get(layer);
            layers.push_back({layer, file.image.format, file.image.virtual_size, file.allocated});
            layer = file.image.backing_file;
        }
        return layers;
    }
    FlattenEstimate estimate_flatten(const std::string& path) override {
        faults.happen("estimate_flatten");
        FlattenEstimate estimate;
        for (const DiskLayer& layer : chain(path)) estimate.resulting_size += layer.actual_size;
        estimate.bytes_to_copy = estimate.resulting_size - files_.get(path).allocated;
        return estimate;
    }
    void rebase(const std::string& path, const std::string& base, const std::string&, const ProgressPercent& progress,
                Cancellation& cancel) override {
        faults.happen("rebase", &cancel);
        FakeFile file = files_.get(path);
        if (!base.empty()) files_.get(base);
        file.image.backing_file = base;
        files_.put(path, file);
        if (progress) progress(100);
    }
    void relink(const std::string& path, const std::string& base, const std::string&) override {
        faults.happen("relink");
        FakeFile file = files_.get(path);
        files_.get(base);
        file.image.backing_file = base;
        files_.put(path, file);
    }
    ImageCheck check(const std::string& path) override {
        faults.happen("check");
        files_.get(path);
        const auto bad = checks.find(path);
        return bad == checks.end() ? ImageCheck{} : bad->second;
    }
    void resize(const std::string& path, Bytes size) override {
        faults.happen("resize");
        FakeFile file = files_.get(path);
        if (size < file.image.virtual_size) throw Error(Code::invalid_argument, path + " would become smaller");
        file.image.virtual_size = size;
        files_.put(path, file);
    }
    void remove(const std::string& path) override {
        faults.happen("remove");
        require_absolute(path);
        files_.remove(path);
    }

    std::map<std::string, ImageCheck> checks;  // test: what check() finds

    Faults faults;  // by the names of the methods

private:
    static constexpr Bytes empty_image_size = 196 * KiB;  // what qemu-img makes

    static void require_absolute(const std::string& path) {
        if (!path.starts_with('/')) throw Error(Code::invalid_argument, "the path of an image must be absolute");
    }
    void add(const std::string& path, const DiskImageInfo& info) {
        if (files_.find(path)) throw Error(Code::operation_failed, path + " exists already");
        files_.put(path, {"", info, info.actual_size});
    }

    FakeFileSystem& files_;
};

}  // namespace hvagent
