// Copies the content of an open file into another one, as cheaply as the file system allows.
#pragma once
#include <functional>
#include <string>

#include "drivers/files/file_handle.h"
#include "hvagent/cancel.h"
#include "hvagent/units.h"

namespace hvagent {

// How much of the disks copies may take from the guests.
struct CopyPolicy {
    Bytes rate = 0;     // bytes per second of one copy; 0: no limit
    bool idle = false;  // the kernel serves the copy when nobody else wants the disk, where its scheduler knows classes
};

struct CopyJob {
    const FileHandle& source;  // readable
    const FileHandle& target;  // writable, empty
    std::string source_name;   // for messages
    std::string target_name;
    CopyPolicy policy = {};
    Bytes limit = 0;  // refuse to store more bytes than this; 0: no limit
};
using CopyProgress = std::function<void(Bytes done, Bytes total)>;

// Shares the blocks where the file system can (reflink); otherwise copies the data and leaves holes as holes. Not flushed.
// file_error, or Error(job_cancelled); the target's content is then undefined.
void copy_content(const CopyJob& job, const CopyProgress& progress, Cancellation& cancel);

}  // namespace hvagent
