#include "agent/config/settings.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iomanip>
#include <map>
#include <sstream>
#include <variant>

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include "hvagent/error.h"

namespace hvagent::config {
namespace {

using Member = std::variant<std::string Settings::*, bool Settings::*, int Settings::*, Bytes Settings::*,
                            double Settings::*, seconds Settings::*, std::vector<std::string> Settings::*>;

struct Setting {
    const char* section;
    const char* key;
    Member member;
    const char* meaning;
    bool secret = false;  // its file must not be open to everyone
};

const std::vector<Setting>& settings_table() {
    using S = Settings;
    static const std::vector<Setting> table{
        {"http", "listen", &S::http_listen, "address:port of the API"},
        {"http", "insecure", &S::http_insecure, "allow plain HTTP beyond loopback"},
        {"http", "tls_cert", &S::http_tls_cert, "PEM certificate chain; with tls_key the API speaks TLS"},
        {"http", "tls_key", &S::http_tls_key, "PEM private key"},
        {"http", "client_ca", &S::http_client_ca,
         "PEM authorities; when set, clients must show a certificate of one of them"},
        {"http", "max_connections", &S::http_max_connections, "connections open at once; more are refused with 503"},
        {"http", "max_body", &S::http_max_body, "largest request body in bytes"},
        {"metrics", "public", &S::metrics_public,
         "who reads /metrics without a session or token: loopback (this host's programs), always or never"},
        {"metrics", "token", &S::metrics_token,
         "reads /metrics when sent as \"Authorization: Bearer <token>\"; default: none", true},
        {"libvirt", "uri", &S::libvirt_uri, "connection URI"},
        {"libvirt", "virt_type", &S::virt_type, "kvm, qemu (emulation), or auto: kvm where a guest was seen to run"},
        {"libvirt", "call_timeout", &S::libvirt_call_timeout,
         "seconds until a call that libvirt does not answer is given up"},
        {"libvirt", "wait", &S::libvirt_wait, "seconds a job waits for a lost libvirt before it is refused"},
        {"state", "directory", &S::state_directory, "where the inventory, jobs and serial logs are kept"},
        {"host", "name", &S::host_name, "name of this host; default: its host name"},
        {"host", "management_ip", &S::management_ip, "address other hosts know it by; default: the listen address"},
        {"host", "zone", &S::zone_name, "name of the zone made at the first start"},
        {"host", "cluster", &S::cluster_name, "name of the cluster made at the first start"},
        {"host", "reserved_memory", &S::reserved_memory, "bytes never given to VMs"},
        {"host", "vm_overhead", &S::vm_overhead,
         "bytes that a VM's QEMU takes beside the memory of its guest; 8 MiB for each virtual CPU and 1/256 of the guest's "
         "memory come on top. 0: nothing of this is counted"},
        {"host", "cpu_ratio", &S::cpu_ratio, "virtual CPUs per CPU"},
        {"host", "memory_ratio", &S::memory_ratio, "memory promised to VMs per memory of the host"},
        {"admin", "password", &S::admin_password, "clear text; default: a random one, written to <state>/admin-password",
         true},
        {"admin", "session_timeout", &S::session_timeout, "seconds a session lives"},
        {"admin", "max_sessions", &S::max_sessions, "sessions open at once"},
        {"peers", "heartbeat", &S::peer_heartbeat, "seconds between looks at each other host that is known here"},
        {"peers", "ca_file", &S::peer_ca_file, "PEM authorities of the certificates of other hosts; default: the system's"},
        {"primary_storage", "type", &S::primary_type,
         "of the storage made at the first start: LocalStorage, or SharedMountPoint, a directory that other hosts see too"},
        {"primary_storage", "name", &S::primary_name, "name of the storage for volumes made at the first start"},
        {"primary_storage", "path", &S::primary_path, "its directory"},
        {"backup_storage", "name", &S::backup_name, "name of the image store made at the first start"},
        {"backup_storage", "path", &S::backup_path, "its directory"},
        {"network", "enabled", &S::network_enabled, "make a NAT network at the first start"},
        {"network", "name", &S::network_name, "name of that network, also in libvirt"},
        {"network", "cidr", &S::network_cidr, "its addresses; the first is the host's"},
        {"network", "bridge", &S::network_bridge, "its bridge"},
        {"network", "dns", &S::network_dns, "DNS servers given to guests; default: the host answers"},
        {"image", "file_denied", &S::image_file_denied, "directories that file:// URLs may not read"},
        {"image", "max_size", &S::image_max_size, "largest virtual size of an image in bytes"},
        {"image", "deletion_policy", &S::image_deletion_policy,
         "Delay keeps a deleted image until it expires, Direct expunges it at once"},
        {"image", "expunge_after", &S::image_expunge_after, "seconds until a deleted image is expunged"},
        {"storage", "block_job_bandwidth", &S::block_job_bandwidth,
         "bytes per second that flattening or copying a disk of a running VM may take; 0: no limit"},
        {"storage", "copy_rate", &S::copy_rate, "bytes per second that a copy of files may take; 0: no limit"},
        {"storage", "copy_idle", &S::copy_idle,
         "copies of files wait for a disk that nobody else wants (idle class of the kernel's I/O scheduler)"},
        {"storage", "full_percent", &S::storage_full_percent,
         "percent of a storage's file system in use from which on controllers are told that it is nearly full"},
        {"storage", "check_interval", &S::storage_check_interval,
         "seconds between two small writes that show whether a storage works"},
        {"volume", "deletion_policy", &S::volume_deletion_policy,
         "Delay keeps a deleted data volume until it expires, Direct expunges it at once"},
        {"volume", "expunge_after", &S::volume_expunge_after, "seconds until a deleted data volume is expunged"},
        {"vm", "stop_grace", &S::stop_grace, "seconds a guest has to power off before the plug is pulled"},
        {"vm", "hotplug", &S::hotplug, "allow CPUs and memory of running VMs to grow (vm/numa of the contract)"},
        {"vm", "deletion_policy", &S::deletion_policy,
         "Delay keeps a destroyed VM until it expires, Direct expunges it at once"},
        {"vm", "expunge_after", &S::expunge_after, "seconds until a destroyed VM is expunged"},
        {"vm", "cdroms", &S::cdroms, "CD-ROM drives of a new VM, 0 to 3"},
        {"vm", "ha_first_delay", &S::ha_first_delay,
         "seconds until a NeverStop VM found down is started; doubles each time"},
        {"vm", "ha_longest_delay", &S::ha_longest_delay, "longest such delay in seconds"},
        {"vm", "io_error_policy", &S::io_error_policy,
         "a VM that was paused because a disk failed: resume it when its storage works again, leave it, or stop it; the "
         "system tag ioErrorPolicy::<policy> of a VM comes first"},
        {"vm", "io_error_first_delay", &S::io_error_first_delay,
         "seconds until its storage is tried; doubles each time that fails, or the VM is paused again"},
        {"vm", "io_error_longest_delay", &S::io_error_longest_delay, "longest such delay in seconds"},
        {"vm", "io_error_room", &S::io_error_room, "bytes that must be free on the storage before the VM is resumed"},
        {"migration", "bandwidth", &S::migration_bandwidth,
         "bytes per second that one migration may take, memory and all disks together; 0: no limit"},
        {"migration", "max_downtime", &S::migration_max_downtime,
         "milliseconds a guest may stand still while it changes hosts, 10 or more"},
        {"migration", "auto_converge", &S::migration_auto_converge,
         "slow down guests that change their memory faster than it is sent"},
        {"migration", "when_stuck", &S::migration_when_stuck,
         "what a migration that does not converge does: pause (the guest stands still longer), post_copy (it runs at the "
         "destination before its memory is there, and is lost with the link) or abort"},
        {"migration", "max_pause", &S::migration_max_pause,
         "longest such pause in seconds; what needs a longer one is aborted"},
        {"migration", "timeout_per_gib", &S::migration_timeout_per_gib,
         "seconds per GiB of memory and disks until a migration counts as stuck"},
        {"migration", "parallel_connections", &S::migration_parallel_connections,
         "connections for the memory of one guest, up to 16; 0: one plain connection, which most versions agree on"},
        {"migration", "compressed", &S::migration_compressed, "send changed memory as differences (takes CPU time)"},
        {"migration", "tls", &S::migration_tls,
         "libvirt's connection and the streams are encrypted, by the host's certificates; false: plain"},
        {"job", "power_limit", &S::job_power_limit, "starts, stops and creations at once"},
        {"job", "copy_limit", &S::job_copy_limit, "image downloads and copies at once"},
        {"job", "quick_limit", &S::job_quick_limit, "other jobs at once"},
        {"job", "migrate_limit", &S::job_migrate_limit, "migrations at once"},
        {"job", "result_lifetime", &S::job_result_lifetime, "seconds the result of a job is kept"},
        {"maintenance", "rest", &S::maintenance_rest,
         "what becomes of VMs that cannot move from a host under maintenance: leave or stop"},
        {"shutdown", "guests", &S::shutdown_guests,
         "what happens to guests when the host shuts down: stop (asked, each for [vm] stop_grace at the longest, then the "
         "plug is pulled) or leave (to whoever stops libvirt)"},
        {"shutdown", "restart", &S::shutdown_restart,
         "start the stopped ones at the next boot of the host, last stopped first"},
        {"shutdown", "budget", &S::shutdown_budget,
         "seconds for all guests together; 0: what logind gives (its InhibitDelayMaxSec), which is never exceeded"},
        {"report", "heartbeat", &S::report_heartbeat, "seconds without news after which a controller is told that we live"},
        {"report", "snapshot_every", &S::report_picture_every, "seconds between full snapshots"},
        {"report", "max_reports", &S::report_most,
         "reports kept until controllers took them; beyond that a controller that is behind gets one full snapshot"},
        {"report", "max_bytes", &S::report_most_bytes, "the same in bytes"},
        {"report", "ca_file", &S::report_ca_file, "PEM authorities of controllers; default: the system's"},
        {"log", "target", &S::log_target, "journal, stderr, or auto: the journal under systemd"},
        {"log", "level", &S::log_level, "debug, info, warning or error"},
    };
    return table;
}

// [[controllers]] url = "...", and so on.
std::vector<ControllerSetting> read_controllers(const toml::node& list, const std::string& file);

// Where each setting was given, by "[section] key"; the last file wins.
using Places = std::map<std::string, std::string>;

std::string place(const std::string& file, const toml::node& node) {
    return file + ":" + std::to_string(node.source().begin.line);
}

class Assign {
public:
    Assign(Settings& settings, const toml::node& node, std::string where)
        : settings_(settings), node_(node), where_(std::move(where)) {}

    void operator()(std::string Settings::*member) const { settings_.*member = value<std::string>("a text"); }
    void operator()(bool Settings::*member) const {
        const auto found = node_.value_exact<bool>();
        if (!found) expected("true or false");
        settings_.*member = *found;
    }
    void operator()(int Settings::*member) const { settings_.*member = static_cast<int>(number(1000000000)); }
    void operator()(Bytes Settings::*member) const { settings_.*member = number(INT64_MAX); }
    void operator()(double Settings::*member) const { settings_.*member = value<double>("a number"); }
    void operator()(seconds Settings::*member) const { settings_.*member = seconds(number(1000000000)); }
    void operator()(std::vector<std::string> Settings::*member) const {
        const toml::array* list = node_.as_array();
        if (!list) expected("a list of texts");
        std::vector<std::string> texts;
        for (const toml::node& item : *list) {
            const auto text = item.value_exact<std::string>();
            if (!text) expected("a list of texts");
            texts.push_back(*text);
        }
        settings_.*member = std::move(texts);
    }

private:
    [[noreturn]] void expected(const char* what) const { throw Error(Code::invalid_argument, where_ + " must be " + what); }
    template <class T>
    T value(const char* what) const {
        const auto found = node_.value<T>();
        if (!found || (std::is_same_v<T, std::string> && !node_.is_string())) expected(what);
        return *found;
    }
    std::int64_t number(std::int64_t highest) const {
        const auto found = node_.value_exact<std::int64_t>();
        if (!found || *found < 0 || *found > highest) expected("a whole number, 0 or more");
        return *found;
    }

    Settings& settings_;
    const toml::node& node_;
    std::string where_;
};

std::vector<ControllerSetting> read_controllers(const toml::node& list, const std::string& file) {
    const auto refuse = [&file](const toml::node& node, const std::string& why) {
        throw Error(Code::invalid_argument, place(file, node) + ": [[controllers]] " + why);
    };
    std::vector<ControllerSetting> found;
    if (!list.is_array_of_tables()) refuse(list, "must be written with two brackets, one table per controller");
    for (const toml::node& item : *list.as_array()) {
        ControllerSetting& one = found.emplace_back();
        for (const auto& [key, node] : *item.as_table()) {
            const std::string name(key.str());
            if (name == "job_results") {
                if (!node.is_boolean()) refuse(node, name + " must be true or false");
                one.job_results = *node.value<bool>();
                continue;
            }
            std::string* const member = name == "url"          ? &one.url
                                        : name == "token_file" ? &one.token_file
                                        : name == "dialect"    ? &one.dialect
                                                               : nullptr;
            if (!member) refuse(node, "has no " + name + "; it takes url, token_file, dialect and job_results");
            if (!node.is_string()) refuse(node, name + " must be a text");
            *member = *node.value<std::string>();
        }
        if (one.url.empty()) refuse(item, "needs a url");
    }
    return found;
}

// What a wrong value is told with begins with its "[section] key"; the place it was given at goes before that.
std::string with_place(const std::string& text, const Places& places) {
    const auto found = places.find(text.substr(0, text.find(' ', text.find(' ') + 1)));
    return found == places.end() ? text : found->second + ": " + text;
}

void check(const Settings& settings, const Places& places) {
    const auto require = [&places](bool holds, const std::string& text) {
        if (!holds) throw Error(Code::invalid_argument, with_place(text, places));
    };
    require(settings.http_tls_cert.empty() || !settings.http_tls_key.empty(), "[http] tls_cert needs tls_key as well");
    require(settings.http_tls_key.empty() || !settings.http_tls_cert.empty(), "[http] tls_key needs tls_cert as well");
    require(settings.http_client_ca.empty() || !settings.http_tls_cert.empty(),
            "[http] client_ca needs tls_cert and tls_key");
    require(settings.log_target == "auto" || settings.log_target == "journal" || settings.log_target == "stderr",
            "[log] target must be journal, stderr or auto, but is \"" + settings.log_target + "\"");
    require(settings.log_level == "debug" || settings.log_level == "info" || settings.log_level == "warning" ||
                settings.log_level == "error",
            "[log] level must be debug, info, warning or error, but is \"" + settings.log_level + "\"");
    require(settings.maintenance_rest == "leave" || settings.maintenance_rest == "stop",
            "[maintenance] rest must be leave or stop, but is \"" + settings.maintenance_rest + "\"");
    require(settings.virt_type == "auto" || settings.virt_type == "kvm" || settings.virt_type == "qemu",
            "[libvirt] virt_type must be auto, kvm or qemu, but is \"" + settings.virt_type + "\"");
    require(
        settings.io_error_policy == "resume" || settings.io_error_policy == "leave" || settings.io_error_policy == "stop",
        "[vm] io_error_policy must be resume, leave or stop, but is \"" + settings.io_error_policy + "\"");
    require(settings.io_error_first_delay >= seconds(1) && settings.io_error_longest_delay >= settings.io_error_first_delay,
            "[vm] io_error_first_delay must be at least 1, and io_error_longest_delay not less");
    require(settings.storage_full_percent >= 10 && settings.storage_full_percent <= 100,
            "[storage] full_percent must be 10 to 100");
    require(settings.storage_check_interval >= seconds(1), "[storage] check_interval must be at least 1");
    require(settings.deletion_policy == "Delay" || settings.deletion_policy == "Direct",
            "[vm] deletion_policy must be Delay or Direct, but is \"" + settings.deletion_policy + "\"");
    require(settings.volume_deletion_policy == "Delay" || settings.volume_deletion_policy == "Direct",
            "[volume] deletion_policy must be Delay or Direct, but is \"" + settings.volume_deletion_policy + "\"");
    require(settings.image_deletion_policy == "Delay" || settings.image_deletion_policy == "Direct",
            "[image] deletion_policy must be Delay or Direct, but is \"" + settings.image_deletion_policy + "\"");
    require(
        settings.metrics_public == "loopback" || settings.metrics_public == "always" || settings.metrics_public == "never",
        "[metrics] public must be loopback, always or never, but is \"" + settings.metrics_public + "\"");
    require(settings.metrics_token.empty() || settings.metrics_token.size() >= 16,
            "[metrics] token must have at least 16 characters");
    // The disks of a saved VM could be changed while its memory waits for them unchanged.
    require(settings.shutdown_guests != "suspend",
            "[shutdown] guests cannot be suspend: memory that is saved over a boot of the host is not supported; expected "
            "stop or leave");
    require(settings.shutdown_guests == "stop" || settings.shutdown_guests == "leave",
            "[shutdown] guests must be stop or leave, but is \"" + settings.shutdown_guests + "\"");
    require(settings.cdroms <= 3, "[vm] cdroms must be 0 to 3");
    require(settings.peer_heartbeat >= seconds(1) && settings.peer_heartbeat <= seconds(3600),
            "[peers] heartbeat must be 1 to 3600");
    require(settings.primary_type == "LocalStorage" || settings.primary_type == "SharedMountPoint",
            "[primary_storage] type must be LocalStorage or SharedMountPoint, but is \"" + settings.primary_type + "\"");
    const std::string& stuck = settings.migration_when_stuck;
    require(stuck == "pause" || stuck == "post_copy" || stuck == "abort",
            "[migration] when_stuck must be pause, post_copy or abort, but is \"" + stuck + "\"");
    require(settings.migration_bandwidth == 0 || settings.migration_bandwidth >= MiB,
            "[migration] bandwidth must be 0 or at least 1048576");
    require(settings.migration_max_downtime >= 10 && settings.migration_max_downtime <= 60000,
            "[migration] max_downtime must be 10 to 60000");
    require(settings.migration_timeout_per_gib >= seconds(1), "[migration] timeout_per_gib must be at least 1");
    require(settings.migration_parallel_connections <= 16, "[migration] parallel_connections must be at most 16");
    require(settings.migration_parallel_connections == 0 || (!settings.migration_compressed && stuck != "post_copy"),
            "[migration] parallel_connections go neither with compressed nor with when_stuck = \"post_copy\"");
    const auto is_ratio = [](double number) { return number > 0 && number <= 1000; };  // false for nan
    require(is_ratio(settings.cpu_ratio), "[host] cpu_ratio must be above 0 and at most 1000");
    require(is_ratio(settings.memory_ratio), "[host] memory_ratio must be above 0 and at most 1000");
    require(settings.report_heartbeat >= seconds(1) && settings.report_picture_every >= seconds(1),
            "[report] heartbeat and snapshot_every must be at least 1");
    require(settings.report_most >= 10 && settings.report_most_bytes >= 64 * KiB,
            "[report] max_reports must be at least 10 and max_bytes at least 65536");
    require(settings.network_bridge.size() <= 15, "[network] bridge must have at most 15 characters");
}

void read_table(Settings& settings, Places& places, const toml::table& file, const std::string& shown_name) {
    for (const auto& [section, content] : file) {
        if (section.str() == "controllers") {
            for (ControllerSetting& one : read_controllers(content, shown_name)) settings.controllers.push_back(one);
            continue;
        }
        const toml::table* keys = content.as_table();
        if (!keys)
            throw Error(Code::invalid_argument,
                        place(shown_name, content) + ": '" + std::string(section.str()) + "' is outside any [section]");
        for (const auto& [key, node] : *keys) {
            const Setting* found = nullptr;
            for (const Setting& setting : settings_table())
                if (section.str() == setting.section && key.str() == setting.key) found = &setting;
            const std::string name = "[" + std::string(section.str()) + "] " + std::string(key.str());
            if (!found) throw Error(Code::invalid_argument, place(shown_name, node) + ": unknown setting " + name);
            places[name] = place(shown_name, node);
            std::visit(Assign(settings, node, places[name] + ": " + name), found->member);
        }
    }
}

struct Show {
    const Settings& settings;
    std::string operator()(std::string Settings::*member) const { return "\"" + settings.*member + "\""; }
    std::string operator()(bool Settings::*member) const { return settings.*member ? "true" : "false"; }
    std::string operator()(int Settings::*member) const { return std::to_string(settings.*member); }
    std::string operator()(Bytes Settings::*member) const { return std::to_string(settings.*member); }
    std::string operator()(double Settings::*member) const {
        std::ostringstream text;
        text << std::showpoint << std::setprecision(3) << settings.*member;
        return text.str();
    }
    std::string operator()(seconds Settings::*member) const { return std::to_string((settings.*member).count()); }
    std::string operator()(std::vector<std::string> Settings::*member) const {
        std::string text;
        for (const std::string& one : settings.*member) text += (text.empty() ? "\"" : ", \"") + one + "\"";
        return "[" + text + "]";
    }
};

toml::table parse_file(const std::string& text, const std::string& shown_name) {
    try {
        return toml::parse(text, shown_name);
    } catch (const toml::parse_error& error) {
        throw Error(Code::invalid_argument,
                    shown_name + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
    }
}

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    if (file) text << file.rdbuf();
    if (!file) throw Error(Code::invalid_argument, "the configuration " + path + " cannot be read");
    return text.str();
}

bool is_open_to_everyone(const std::string& path) {
    std::error_code missing;
    const auto mode = std::filesystem::status(path, missing).permissions();
    return !missing && (mode & std::filesystem::perms::others_read) != std::filesystem::perms::none;
}

// The file, then its drop-ins by name: <dir>/hvagentd.toml, <dir>/hvagentd.d/*.toml.
std::vector<std::string> files_of(const std::string& path) {
    std::vector<std::string> drop_ins;
    std::error_code missing;
    const auto directory = std::filesystem::path(path).replace_extension(".d");
    for (const auto& entry : std::filesystem::directory_iterator(directory, missing))
        if (entry.path().extension() == ".toml") drop_ins.push_back(entry.path().string());
    if (missing && missing != std::errc::no_such_file_or_directory)
        throw Error(Code::invalid_argument,
                    "the configuration " + directory.string() + " cannot be read: " + missing.message());
    std::sort(drop_ins.begin(), drop_ins.end());
    drop_ins.insert(drop_ins.begin(), path);
    return drop_ins;
}

}  // namespace

Settings parse_settings(const std::string& toml_text, const std::string& shown_name) {
    Settings settings;
    Places places;
    read_table(settings, places, parse_file(toml_text, shown_name), shown_name);
    check(settings, places);
    return settings;
}

Settings load_settings(const std::string& path) {
    Settings settings;
    Places places;
    for (const std::string& file : files_of(path)) read_table(settings, places, parse_file(text_of(file), file), file);
    check(settings, places);
    return settings;
}

std::vector<std::string> find_exposed_secrets(const std::string& path) {
    std::vector<std::string> exposed;
    for (const std::string& file : files_of(path)) {
        if (!is_open_to_everyone(file)) continue;
        const toml::table table = parse_file(text_of(file), file);
        for (const Setting& setting : settings_table())
            if (const auto node = table[setting.section][setting.key]; setting.secret && node)
                exposed.push_back(place(file, *node.node()) + ": [" + setting.section + "] " + setting.key +
                                  " is a secret, but everyone can read the file; expected mode 0640");
    }
    const std::string key = load_settings(path).http_tls_key;
    if (!key.empty() && is_open_to_everyone(key))
        exposed.push_back(key + ": everyone can read this key; expected mode 0640");
    return exposed;
}

std::vector<std::string> find_differences(const Settings& one, const Settings& other) {
    std::vector<std::string> names;
    for (const Setting& setting : settings_table())
        if (std::visit([&](auto member) { return one.*member != other.*member; }, setting.member))
            names.push_back(std::string("[") + setting.section + "] " + setting.key);
    return names;
}

std::string describe_settings() {
    const Settings defaults;
    std::string text, section;
    for (const Setting& setting : settings_table()) {
        if (section != setting.section) {
            section = setting.section;
            text += (text.empty() ? "[" : "\n[") + section + "]\n";
        }
        text += std::string("# ") + setting.meaning + "\n# " + setting.key + " = " +
                std::visit(Show{defaults}, setting.member) + "\n";
    }
    return text +
           "\n# Who gets reports: one such table each.\n#[[controllers]]\n"
           "#url = \"https://controller.example/reports\"\n#token_file = \"\"  # its first line is sent as bearer token\n"
           "#dialect = \"hvagent\"  # or zstack: reverse reports to a send-command URL\n#job_results = false\n";
}

}  // namespace hvagent::config
