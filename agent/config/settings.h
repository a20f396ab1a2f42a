// The settings of the daemon: one TOML file, every key declared once in settings.cpp with its default and its meaning.
#pragma once
#include <string>
#include <vector>

#include "hvagent/clock.h"
#include "hvagent/units.h"

namespace hvagent::config {

// Who gets reports: one [[controllers]] table each.
struct ControllerSetting {
    std::string url;
    std::string token_file;  // its first line is sent as bearer token
    std::string dialect = "hvagent";
    bool job_results = false;
};

struct Settings {
    // [http]
    std::string http_listen = "127.0.0.1:8080";
    bool http_insecure = false;
    std::string http_tls_cert, http_tls_key, http_client_ca;
    int http_max_connections = 4096;
    Bytes http_max_body = MiB;
    // [metrics]
    std::string metrics_public = "loopback";
    std::string metrics_token;
    // [libvirt]
    std::string libvirt_uri = "qemu:///system";
    std::string virt_type = "auto";
    seconds libvirt_call_timeout{30};
    seconds libvirt_wait{10};
    // [state]
    std::string state_directory = "/var/lib/hvagent";
    // [host]
    std::string host_name;
    std::string management_ip;
    std::string zone_name = "zone-1";
    std::string cluster_name = "cluster-1";
    Bytes reserved_memory = 512 * MiB;
    Bytes vm_overhead = 64 * MiB;
    double cpu_ratio = 10.0;
    double memory_ratio = 1.0;
    // [admin]
    std::string admin_password;
    seconds session_timeout{7200};
    int max_sessions = 500;
    // [peers]
    seconds peer_heartbeat{3};
    std::string peer_ca_file;
    // [primary_storage], [backup_storage]
    std::string primary_type = "LocalStorage";
    std::string primary_name = "local";
    std::string primary_path = "/var/lib/hvagent/primary";
    std::string backup_name = "images";
    std::string backup_path = "/var/lib/hvagent/backup";
    // [network]
    bool network_enabled = true;
    std::string network_name = "hvagent";
    std::string network_cidr = "192.168.221.0/24";
    std::string network_bridge = "hvabr0";
    std::vector<std::string> network_dns;
    // [image]
    std::vector<std::string> image_file_denied = {"/etc", "/dev",       "/proc",    "/sys",
                                                  "/run", "/root/.ssh", "/var/log", "/boot"};
    Bytes image_max_size = 64LL * 1024 * GiB;
    std::string image_deletion_policy = "Delay";
    seconds image_expunge_after{604800};
    // [storage]
    Bytes block_job_bandwidth = 0;
    Bytes copy_rate = 0;
    bool copy_idle = false;
    int storage_full_percent = 90;
    seconds storage_check_interval{30};
    // [volume]
    std::string volume_deletion_policy = "Delay";
    seconds volume_expunge_after{604800};
    // [vm]
    seconds stop_grace{60};
    bool hotplug = false;
    std::string deletion_policy = "Delay";
    seconds expunge_after{604800};
    int cdroms = 1;
    seconds ha_first_delay{1};
    seconds ha_longest_delay{300};
    std::string io_error_policy = "resume";
    seconds io_error_first_delay{1};
    seconds io_error_longest_delay{60};
    Bytes io_error_room = 64 * MiB;
    // [migration]
    Bytes migration_bandwidth = 0;
    int migration_max_downtime = 500;
    bool migration_auto_converge = true;
    std::string migration_when_stuck = "pause";
    seconds migration_max_pause{20};
    seconds migration_timeout_per_gib{300};
    int migration_parallel_connections = 0;
    bool migration_compressed = false;
    bool migration_tls = true;
    // [job]
    int job_power_limit = 8;
    int job_copy_limit = 2;
    int job_quick_limit = 8;
    int job_migrate_limit = 2;
    seconds job_result_lifetime{172800};
    // [maintenance]
    std::string maintenance_rest = "leave";
    // [shutdown]
    std::string shutdown_guests = "stop";
    bool shutdown_restart = true;
    seconds shutdown_budget{0};
    // [report], [[controllers]]
    seconds report_heartbeat{15};
    seconds report_picture_every{600};
    int report_most = 10000;
    Bytes report_most_bytes = 16 * MiB;
    std::string report_ca_file;
    std::vector<ControllerSetting> controllers;
    // [log]
    std::string log_target = "auto";
    std::string log_level = "info";
};

// Defaults overlaid with the file. Error(invalid_argument) names file, line, key and what was expected; an unknown key is an
// error too, so that a misspelt setting is noticed.
// After the file come its drop-ins, by name: for /etc/hvagent/hvagentd.toml those of /etc/hvagent/hvagentd.d/*.toml.
Settings load_settings(const std::string& path);
Settings parse_settings(const std::string& toml_text, const std::string& shown_name);

// Passwords, tokens and keys that everyone on this host can read, each with file, line and what was expected.
std::vector<std::string> find_exposed_secrets(const std::string& path);

// The settings that are not the same in both, as "[section] key".
std::vector<std::string> find_differences(const Settings& one, const Settings& other);

// Every setting: "[section] key", default, meaning. For the manual page and `hvagentd --print-settings`.
std::string describe_settings();

}  // namespace hvagent::config
