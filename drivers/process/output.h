// What a child writes, read without ever making it wait for us.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "drivers/files/file_handle.h"

namespace hvagent {

class OutputReader {
public:
    using OnLine = std::function<void(std::string_view line)>;

    OutputReader(const FileHandle& pipe, std::size_t most_kept, const OnLine& on_line)
        : pipe_(pipe), most_kept_(most_kept), on_line_(on_line) {}

    void read_available();
    // The last line may have no end.
    void finish();

    bool is_open() const { return open_; }
    const FileHandle& pipe() const { return pipe_; }
    bool was_cut() const { return cut_; }
    std::string take() { return std::move(kept_); }

private:
    void keep(std::string_view data);
    void split(std::string_view data);

    const FileHandle& pipe_;
    const std::size_t most_kept_;
    const OnLine& on_line_;
    bool open_ = true;
    bool cut_ = false;
    std::string kept_;
    std::string line_;
};

}  // namespace hvagent
