#include "agent/cli/session_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace hvagent::cli {
namespace {

using nlohmann::json;

std::filesystem::path session_path() {
    if (const char* path = std::getenv("HVCTL_SESSION_FILE")) return path;
    if (const char* config = std::getenv("XDG_CONFIG_HOME")) return std::filesystem::path(config) / "hvctl/session.json";
    const char* home = std::getenv("HOME");
    return std::filesystem::path(home ? home : "/root") / ".config/hvctl/session.json";
}

}  // namespace

std::optional<StoredSession> load_session() {
    std::ifstream file(session_path());
    const json stored = json::parse(file, nullptr, false);
    if (!stored.is_object()) return std::nullopt;
    return StoredSession{stored.value("url", ""), stored.value("session", ""), stored.value("ca", "")};
}

void save_session(const StoredSession& session) {
    const std::filesystem::path path = session_path();
    std::filesystem::create_directories(path.parent_path());
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const std::string text = json{{"url", session.url}, {"session", session.session}, {"ca", session.ca_file}}.dump() + "\n";
    const bool written =
        fd >= 0 && ::fchmod(fd, 0600) == 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (fd >= 0) ::close(fd);
    if (!written) throw std::runtime_error("the session cannot be stored in " + path.string());
}

void forget_session() {
    std::filesystem::remove(session_path());
}

}  // namespace hvagent::cli
