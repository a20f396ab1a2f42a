// A download on its way: what is there already, and of which file of the server.
#pragma once
#include <string>

#include "drivers/files/file_handle.h"
#include "hvagent/clock.h"
#include "hvagent/units.h"

namespace hvagent {

// What tells whether a file on a server is still the same.
struct RemoteFile {
    std::string etag;  // strong ones only
    std::string modified;
    Bytes size = 0;  // 0: not known

    bool can_be_recognised() const { return size > 0 && (!etag.empty() || !modified.empty()); }
    bool operator==(const RemoteFile&) const = default;
};

// The content is at `path`; the facts, as of the last checkpoint, at "<path>.resume". After a crash the file is cut to what
// was on disk then.
class PartialFile {
public:
    // Takes up what an earlier life of the daemon left of `source`, else begins afresh.
    PartialFile(std::string path, std::string source, milliseconds checkpoint_every);
    // As on disk at the last checkpoint; see discard().
    ~PartialFile() = default;

    const FileHandle& handle() const { return file_; }
    Bytes stored() const { return stored_; }
    const RemoteFile& remote() const { return remote_; }

    void begin(const RemoteFile& remote);  // what was there is dropped
    // Lets the server say once more that the file is the same: a request for nothing would be refused.
    void forget_last_byte();
    // 0, or an error number.
    int append(const char* data, std::size_t size);
    void checkpoint();
    void finish();   // it is whole
    void discard();  // removes everything

private:
    bool take_up();
    std::string facts_path() const { return path_ + ".resume"; }
    void cut_to(Bytes size);

    const std::string path_;
    const std::string source_;
    const milliseconds checkpoint_every_;
    FileHandle file_;
    RemoteFile remote_;
    Bytes stored_ = 0;
    Bytes writing_out_from_ = 0;
    Moment last_checkpoint_{};
};

}  // namespace hvagent
