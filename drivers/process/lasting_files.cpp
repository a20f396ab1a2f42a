#include "drivers/process/lasting_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace hvagent {
namespace {

using nlohmann::json;

constexpr std::size_t most_kept_text = 64 * 1024;

void replace(const std::filesystem::path& path, const json& content) {
    const std::string temporary = path.string() + ".new";
    std::ofstream file(temporary, std::ios::trunc);
    file << content.dump(-1, ' ', false, json::error_handler_t::replace) << "\n" << std::flush;
    if (!file) throw file_error("cannot write " + temporary, errno);
    std::filesystem::rename(temporary, path);
}

std::optional<json> read(const std::filesystem::path& path) {
    std::ifstream file(path);
    if (!file) return std::nullopt;
    json content = json::parse(file, nullptr, false);
    return content.is_object() ? std::optional(std::move(content)) : std::nullopt;
}

// Of the open file, not of the process: a minder has it from the process that started it.
struct flock write_lock() {
    struct flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    return whole;
}

}  // namespace

void LastingFiles::store(const StoredCommand& stored) const {
    replace(directory_ / "command.json", {{"argv", stored.command.argv},
                                          {"addressSpaceLimit", stored.command.address_space_limit.value_or(0)},
                                          {"termGraceMs", stored.command.term_grace.count()},
                                          {"key", stored.which.key},
                                          {"origin", stored.which.origin},
                                          {"part", stored.which.part},
                                          {"work", stored.which.work},
                                          {"patienceS", stored.patience.count()}});
}

std::optional<StoredCommand> LastingFiles::command() const {
    const auto content = read(directory_ / "command.json");
    if (!content) return std::nullopt;
    try {
        StoredCommand stored;
        stored.command.argv = content->at("argv").get<std::vector<std::string>>();
        if (const Bytes limit = content->at("addressSpaceLimit").get<Bytes>(); limit > 0)
            stored.command.address_space_limit = limit;
        stored.command.term_grace = milliseconds(content->at("termGraceMs").get<std::int64_t>());
        stored.which = {content->at("key").get<std::string>(), content->at("origin").get<std::string>(),
                        content->at("part").get<std::string>(), content->at("work").get<std::string>()};
        stored.patience = seconds(content->at("patienceS").get<std::int64_t>());
        return stored;
    } catch (const json::exception&) {
        return std::nullopt;  // of another version
    }
}

void LastingFiles::store(const CommandResult& result) const {
    replace(directory_ / "result.json", {{"exitCode", result.exit_code},
                                         {"signal", result.signal},
                                         {"output", result.output.substr(0, most_kept_text)},
                                         {"errors", result.errors.substr(0, most_kept_text)},
                                         {"outputCut", result.output_cut || result.output.size() > most_kept_text}});
}

std::optional<CommandResult> LastingFiles::result() const {
    const auto content = read(directory_ / "result.json");
    if (!content) return std::nullopt;
    try {
        CommandResult result;
        result.exit_code = content->at("exitCode").get<int>();
        result.signal = content->at("signal").get<int>();
        result.output = content->at("output").get<std::string>();
        result.errors = content->at("errors").get<std::string>();
        result.output_cut = content->at("outputCut").get<bool>();
        return result;
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

bool LastingFiles::store_pid(const FileHandle& minder_lock, pid_t pid) const {
    const std::string text = std::to_string(pid) + "\n";
    return ::pwrite(minder_lock.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

pid_t LastingFiles::pid() const {
    pid_t pid = 0;
    std::ifstream(directory_ / "minder") >> pid;
    return pid;
}

void LastingFiles::clear() const {
    for (const char* name : {"command.json", "result.json", "progress", "minder"})
        std::filesystem::remove(directory_ / name);
}

FileHandle LastingFiles::lock(const char* name) const {
    const std::string path = directory_ / name;
    FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) throw file_error("cannot open " + path, errno);
    struct flock whole = write_lock();
    if (::fcntl(file.get(), F_OFD_SETLK, &whole) == 0) return file;
    if (errno != EAGAIN && errno != EACCES) throw file_error("cannot lock " + path, errno);
    return {};
}

// Asked, not tried: a lock taken for a moment would be in the way of whoever wants it just then.
bool LastingFiles::is_held(const char* name) const {
    const FileHandle file(::open((directory_ / name).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    struct flock whole = write_lock();
    return file && ::fcntl(file.get(), F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

}  // namespace hvagent
