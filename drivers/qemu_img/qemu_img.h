// Disk images by qemu-img.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "drivers/files/file_copy.h"
#include "hvagent/clock.h"
#include "hvagent/drivers/disk_images.h"

namespace hvagent {

struct Command;
class LastingCommands;

struct QemuImgSettings {
    std::string program = "qemu-img";
    // For everything but the copying of data; an image made by an enemy can ask for much of both.
    seconds cpu_limit{30};
    Bytes address_space_limit = 1 * GiB;
    seconds time_limit{120};
    Bytes convert_address_space_limit = 4 * GiB;
    CopyPolicy copies;
    std::shared_ptr<LastingCommands> lasting;  // what copies much runs by these; null: it ends with the daemon
};

// Paths must be absolute: QEMU then takes them for files whatever else they look like ("json:", "nbd:").
class QemuImg final : public DiskImages {
public:
    explicit QemuImg(QemuImgSettings settings) : settings_(std::move(settings)) {}

    // Follows no name found in the image: with a backing or data file, the answer comes from the header alone.
    DiskImageInfo inspect(const std::string& path, const std::string& format) override;
    void create_empty(const std::string& path, Bytes virtual_size) override;
    void create_raw(const std::string& path, Bytes size) override;
    void create_overlay(const std::string& path, const std::string& backing, const std::string& backing_format,
                        Bytes virtual_size) override;
    // Reads through qcow2 backing files; refuses external data files and encryption.
    void convert(const std::string& source, const std::string& source_format, const std::string& target,
                 const std::string& target_format, const ProgressPercent& progress, Cancellation& cancel) override;
    Bytes measure(const std::string& path, const std::string& format) override;
    std::vector<DiskLayer> chain(const std::string& path) override;
    FlattenEstimate estimate_flatten(const std::string& path) override;
    void rebase(const std::string& path, const std::string& base, const std::string& base_format,
                const ProgressPercent& progress, Cancellation& cancel) override;
    void relink(const std::string& path, const std::string& base, const std::string& base_format) override;
    ImageCheck check(const std::string& path) override;
    void resize(const std::string& path, Bytes size) override;
    void remove(const std::string& path) override;

private:
    Command quick_command() const;
    std::vector<std::string> idle(std::vector<std::string> argv) const;
    bool is_long(Bytes amount) const;
    void create(const std::string& path, const std::string& format, Bytes size);

    const QemuImgSettings settings_;
};

}  // namespace hvagent
