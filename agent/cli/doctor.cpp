#include "agent/cli/doctor.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "hvagent/certificate.h"
#include "hvagent/error.h"

namespace hvagent::cli {
namespace {

constexpr std::chrono::hours soon{24 * 30};

std::string reason_of(int error_number) {
    return std::generic_category().message(error_number);
}

class Socket {
public:
    explicit Socket(int family) : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    int get() const { return fd_; }

private:
    int fd_;
};

// 0, or the error.
int connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const Socket socket(AF_UNIX);
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

}  // namespace

void Findings::add(const std::string& severity, const std::string& kind, const std::string& details,
                   const std::string& path) {
    json one{{"severity", severity}, {"kind", kind}, {"details", details}};
    if (!path.empty()) one["path"] = path;
    list_.push_back(std::move(one));
}

void Findings::add_all(const json& findings) {
    for (const json& one : findings) {
        const auto is_same = [&](const json& known) {
            return known.value("kind", "") == one.value("kind", "") && known.value("path", "") == one.value("path", "") &&
                   known.contains("path");
        };
        const auto known = std::find_if(list_.begin(), list_.end(), is_same);
        if (known == list_.end())
            list_.push_back(one);
        else
            *known = one;  // the agent knows more
    }
}

bool Findings::is_wrong() const {
    return std::any_of(list_.begin(), list_.end(), [](const json& one) { return one.value("severity", "") != "note"; });
}

config::Settings examine_settings(const std::string& path, Findings& findings) {
    std::error_code unknown;
    if (!std::filesystem::exists(path, unknown)) {
        findings.add("note", "NoSettings", "there is no configuration: the defaults hold", path);
        return {};
    }
    try {
        const config::Settings settings = config::load_settings(path);
        for (const std::string& exposed : config::find_exposed_secrets(path))
            findings.add("error", "ExposedSecret", exposed);
        return settings;
    } catch (const Error& error) {
        findings.add("error", "WrongSettings", error.details(), path);
        return {};
    }
}

void examine_directory(const std::string& name, const std::string& path, int full_percent, Findings& findings) {
    struct statvfs found {};
    if (::statvfs(path.c_str(), &found) != 0)
        return findings.add("error", "StorageLost", name + ": " + reason_of(errno), path);
    if ((found.f_flag & ST_RDONLY) != 0) findings.add("error", "StorageReadOnly", name + " is mounted read-only", path);
    const double total = static_cast<double>(found.f_blocks);
    const double used = total > 0 ? 100 * (total - static_cast<double>(found.f_bavail)) / total : 0;
    if (used >= full_percent)
        findings.add("warning", "StorageNearlyFull", name + " is " + std::to_string(static_cast<int>(used)) + " % full",
                     path);
}

void examine_certificate(const std::string& name, const std::string& path, Findings& findings) {
    if (path.empty()) return;
    try {
        const auto left = certificate_end(path) - std::chrono::system_clock::now();
        if (left <= left.zero())
            findings.add("error", "CertificateExpired", name, path);
        else if (left < soon)
            findings.add("warning", "CertificateExpires",
                         name + ": " + std::to_string(std::chrono::duration_cast<std::chrono::hours>(left).count() / 24) +
                             " days left",
                         path);
    } catch (const Error& error) {
        findings.add("error", "CertificateUnreadable", name + ": " + error.details(), path);
    }
}

void examine_clock(Findings& findings) {
    timex state{};  // asks, and changes nothing
    const int answer = ::adjtimex(&state);
    if (answer == TIME_ERROR || (answer >= 0 && (state.status & STA_UNSYNC) != 0))
        findings.add("warning", "ClockUnsynchronised", "nobody keeps this host's clock right (chronyd, ntpd, timesyncd)");
}

void examine_kvm(const config::Settings& settings, Findings& findings) {
    if (settings.virt_type == "qemu") return;
    // Whether it runs a guest is tried by the agent.
    if (::access("/dev/kvm", F_OK) != 0)
        findings.add(settings.virt_type == "kvm" ? "error" : "warning", "KvmUnusable", "there is no /dev/kvm", "/dev/kvm");
}

void examine_libvirt(const config::Settings& settings, const std::string& run_directory, Findings& findings) {
    if (settings.libvirt_uri != "qemu:///system") return;  // elsewhere, and the agent's to say
    const std::string directory = run_directory + "/libvirt";
    std::string failures;
    for (const char* name : {"/virtqemud-sock", "/libvirt-sock"}) {
        const int failure = connect_to(directory + name);
        if (failure == 0) return;
        failures += (failures.empty() ? "" : "; ") + directory + name + ": " + reason_of(failure);
    }
    findings.add("error", "LibvirtUnreachable", failures, directory);
}

void examine_port(const std::string& listen, Findings& findings) {
    const std::size_t colon = listen.rfind(':');
    if (colon == std::string::npos) return;
    std::string host = listen.substr(0, colon);
    const std::string port = listen.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV;
    addrinfo* raw = nullptr;
    if (::getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &wanted, &raw) != 0) return;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found(raw, ::freeaddrinfo);
    const Socket socket(found->ai_family);
    const int yes = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (::bind(socket.get(), found->ai_addr, found->ai_addrlen) == 0) return;
    if (errno == EADDRINUSE)
        findings.add("error", "PortTaken", "another program has [http] listen = " + listen);
    else
        findings.add("error", "PortUnusable", "[http] listen = " + listen + ": " + reason_of(errno));
}

void examine_host(const config::Settings& settings, Findings& findings) {
    examine_kvm(settings, findings);
    examine_libvirt(settings, "/run", findings);
    examine_directory("the state directory", settings.state_directory, settings.storage_full_percent, findings);
    examine_directory("primary storage " + settings.primary_name, settings.primary_path, settings.storage_full_percent,
                      findings);
    examine_directory("backup storage " + settings.backup_name, settings.backup_path, settings.storage_full_percent,
                      findings);
    examine_certificate("[http] tls_cert", settings.http_tls_cert, findings);
    examine_certificate("[http] client_ca", settings.http_client_ca, findings);
    examine_certificate("[report] ca_file", settings.report_ca_file, findings);
    examine_clock(findings);
}

}  // namespace hvagent::cli
