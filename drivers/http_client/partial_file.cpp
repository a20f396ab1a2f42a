#include "drivers/http_client/partial_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

namespace hvagent {
namespace {

constexpr Bytes write_out_every = 16 * MiB;
constexpr std::size_t longest_facts = 16 * KiB;

std::string read_small_file(const std::string& path) {
    const FileHandle file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    std::string text(file ? longest_facts : 0, '\0');
    const ssize_t got = file ? ::pread(file.get(), text.data(), text.size(), 0) : 0;
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
}

// With its name: half of it is worse than nothing.
void replace_small_file(const std::string& path, const std::string& text) {
    const std::string temporary = path + ".new";
    const FileHandle file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) throw file_error("cannot create " + temporary, errno);
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        const Error error = file_error("cannot write " + temporary, errno);
        ::unlink(temporary.c_str());
        throw error;
    }
    flush_to_disk(file, temporary);
    if (::rename(temporary.c_str(), path.c_str()) != 0) throw file_error("cannot rename " + temporary, errno);
}

}  // namespace

PartialFile::PartialFile(std::string path, std::string source, milliseconds checkpoint_every)
    : path_(std::move(path)), source_(std::move(source)), checkpoint_every_(checkpoint_every) {
    file_ = FileHandle(::open(path_.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file_) throw file_error("cannot create " + path_, errno);
    if (!take_up()) begin({});
    last_checkpoint_ = std::chrono::steady_clock::now();
}

bool PartialFile::take_up() {
    const auto facts = nlohmann::json::parse(read_small_file(facts_path()), nullptr, false);
    if (!facts.is_object()) return false;
    try {
        if (facts.at("source") != source_) return false;
        remote_ = {facts.at("etag").get<std::string>(), facts.at("modified").get<std::string>(),
                   facts.at("size").get<Bytes>()};
        stored_ = facts.at("stored").get<Bytes>();
    } catch (const nlohmann::json::exception&) {
        return false;
    }
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0 || status.st_size < stored_ || stored_ < 0) return false;
    cut_to(stored_);
    return true;
}

void PartialFile::cut_to(Bytes size) {
    if (::ftruncate(file_.get(), size) != 0 || ::lseek(file_.get(), size, SEEK_SET) < 0)
        throw file_error("cannot shorten " + path_, errno);
    stored_ = size;
    writing_out_from_ = size;
}

void PartialFile::begin(const RemoteFile& remote) {
    ::unlink(facts_path().c_str());
    cut_to(0);
    remote_ = remote;
}

void PartialFile::forget_last_byte() {
    if (stored_ > 0) cut_to(stored_ - 1);
}

int PartialFile::append(const char* data, std::size_t size) {
    for (std::size_t written = 0; written < size;) {
        const ssize_t result = ::write(file_.get(), data + written, size - written);
        if (result < 0 && errno == EINTR) continue;
        if (result < 0) return errno;
        written += static_cast<std::size_t>(result);
    }
    stored_ += static_cast<Bytes>(size);
    if (stored_ - writing_out_from_ >= write_out_every) {
        // Keeps the amount of unwritten data small, so that the flush at the end is short.
        ::sync_file_range(file_.get(), writing_out_from_, stored_ - writing_out_from_, SYNC_FILE_RANGE_WRITE);
        writing_out_from_ = stored_;
    }
    if (std::chrono::steady_clock::now() - last_checkpoint_ >= checkpoint_every_) checkpoint();
    return 0;
}

void PartialFile::checkpoint() {
    last_checkpoint_ = std::chrono::steady_clock::now();
    if (!remote_.can_be_recognised()) return;
    flush_to_disk(file_, path_);
    const nlohmann::json facts{{"source", source_},
                               {"etag", remote_.etag},
                               {"modified", remote_.modified},
                               {"size", remote_.size},
                               {"stored", stored_}};
    replace_small_file(facts_path(), facts.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void PartialFile::finish() {
    ::unlink(facts_path().c_str());
}

void PartialFile::discard() {
    ::unlink(path_.c_str());
    ::unlink(facts_path().c_str());
}

}  // namespace hvagent
