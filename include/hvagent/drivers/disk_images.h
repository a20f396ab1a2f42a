// Files that hold disks. Every call names the format: a file is never probed by content alone.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "hvagent/cancel.h"
#include "hvagent/units.h"

namespace hvagent {

struct DiskImageInfo {
    std::string format;  // "qcow2", "raw", "vmdk", "vdi", "vhdx"...; "iso" is raw to this interface
    Bytes virtual_size = 0;
    Bytes actual_size = 0;     // allocated on disk
    std::string backing_file;  // empty: none
    bool has_external_data_file = false;
    bool is_encrypted = false;
};

struct DiskLayer {
    std::string path;
    std::string format;
    Bytes virtual_size = 0;
    Bytes actual_size = 0;
};

// What merging a chain into its top layer would do.
struct FlattenEstimate {
    Bytes bytes_to_copy = 0;   // data of lower layers that the top does not cover
    Bytes resulting_size = 0;  // of the top layer's file, allocated
};

struct ImageCheck {
    Bytes leaked = 0;              // allocated, used by nothing
    std::int64_t corruptions = 0;  // of the metadata: content may be wrong
};

using ProgressPercent = std::function<void(int percent)>;

// Thread-safe; runs qemu-img with limits on CPU time and memory. Error(io_failed) carries the tool's message,
// Error(operation_failed) when the image itself is refused, Error(storage_allocate) when the disk is full. Paths are
// absolute. Nothing is left behind after an error.
class DiskImages {
public:
    virtual ~DiskImages() = default;
    // Reads the header only. `format` empty: detect among the formats we accept, by magic number. An image with a backing
    // file, an external data file or encryption is described, not refused.
    virtual DiskImageInfo inspect(const std::string& path, const std::string& format) = 0;
    // All four: the file appears under its name only when whole (temporary name, fsync, rename); an existing file is an
    // Error.
    virtual void create_empty(const std::string& path, Bytes virtual_size) = 0;  // qcow2
    virtual void create_raw(const std::string& path, Bytes size) = 0;            // sparse; several guests may share it
    virtual void create_overlay(const std::string& path, const std::string& backing, const std::string& backing_format,
                                Bytes virtual_size) = 0;  // qcow2; virtual_size >= the backing's
    virtual void convert(const std::string& source, const std::string& source_format, const std::string& target,
                         const std::string& target_format, const ProgressPercent& progress, Cancellation& cancel) = 0;
    // What convert() to qcow2 would allocate, at most; through backing files. Of a file that a QEMU has open it is not
    // reliable.
    virtual Bytes measure(const std::string& path, const std::string& format) = 0;
    // The layers of a qcow2 file, the top first. Error(operation_failed) names the layer that is missing, is not of the
    // format it is said to be, or would leave the roots that this object was given.
    virtual std::vector<DiskLayer> chain(const std::string& path) = 0;
    virtual FlattenEstimate estimate_flatten(const std::string& path) = 0;
    // Puts a file that nobody has open onto another base (empty: none) with the same content; layers in between are copied
    // into it. Cancelled or killed half-way it still lies on the old one.
    virtual void rebase(const std::string& path, const std::string& base, const std::string& base_format,
                        const ProgressPercent& progress, Cancellation& cancel) = 0;
    // Writes another name for the base into the header of a qcow2 file that nobody has open: the base lies elsewhere now,
    // its content is the same. Nothing is copied or compared.
    virtual void relink(const std::string& path, const std::string& base, const std::string& base_format) = 0;
    // Looks at the metadata of a qcow2 file and changes nothing. Of a file that a QEMU has open the answer is not reliable.
    virtual ImageCheck check(const std::string& path) = 0;
    // Only growth, of a qcow2 file that nobody has open.
    virtual void resize(const std::string& path, Bytes size) = 0;
    // Removes a file; not there is a success.
    virtual void remove(const std::string& path) = 0;
};

}  // namespace hvagent
