// A started child process and the ends of its pipes.
#pragma once
#include <sys/types.h>

#include "drivers/files/file_handle.h"
#include "drivers/process/command.h"

namespace hvagent {

// Owns the process: killed and reaped at the latest by the destructor.
class Child {
public:
    explicit Child(const Command& command);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    const FileHandle& output() const { return output_; }
    const FileHandle& errors() const { return errors_; }
    // Readable when the process has ended; not open on kernels without pidfd.
    const FileHandle& ended() const { return pidfd_; }

    // Reaps the process if it has ended.
    bool has_ended();
    // To the whole process group. Nothing once it was reaped, since the number may belong to another by then.
    void signal(int number);
    int wait_status() const { return wait_status_; }  // as of waitpid(); valid once ended

private:
    pid_t pid_ = -1;
    bool reaped_ = false;
    int wait_status_ = 0;
    FileHandle output_;
    FileHandle errors_;
    FileHandle pidfd_;
};

}  // namespace hvagent
