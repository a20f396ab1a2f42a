#include "agent/app/part_settings.h"

#include <fstream>

#include "hvagent/error.h"

namespace hvagent::app {

libvirt::LibvirtSettings libvirt_settings(const config::Settings& settings) {
    libvirt::LibvirtSettings chosen;
    chosen.uri = settings.libvirt_uri;
    chosen.virt_type = settings.virt_type;
    chosen.call_timeout = settings.libvirt_call_timeout;
    chosen.hotplug = settings.hotplug;
    return chosen;
}

CopyPolicy copy_policy(const config::Settings& settings) {
    return {settings.copy_rate, settings.copy_idle};
}

LastingSettings lasting_settings(const config::Settings& settings) {
    LastingSettings made;
    made.directory = settings.state_directory + "/copies";
    made.minder = {"/proc/self/exe", "--mind"};  // this very version, also when another was installed since
    return made;
}

QemuImgSettings image_settings(const config::Settings& settings, std::shared_ptr<LastingCommands> lasting) {
    QemuImgSettings made;
    made.copies = copy_policy(settings);
    made.lasting = std::move(lasting);
    return made;
}

hvagent::HttpSettings client_settings(const config::Settings& settings) {
    hvagent::HttpSettings chosen;
    chosen.blocked_local_paths.clear();
    for (const std::string& directory : settings.image_file_denied) chosen.blocked_local_paths.push_back(directory + "/**");
    chosen.blocked_local_paths.push_back(settings.state_directory + "/hvagent.db*");
    chosen.copies = copy_policy(settings);
    chosen.ssh_known_hosts = settings.state_directory + "/ssh_known_hosts";
    return chosen;
}

hvagent::HttpSettings report_client_settings(const config::Settings& settings) {
    hvagent::HttpSettings chosen;
    chosen.ca_file = settings.report_ca_file;
    return chosen;
}

hvagent::HttpSettings peer_client_settings(const config::Settings& settings) {
    hvagent::HttpSettings chosen;
    chosen.ca_file = settings.peer_ca_file;
    chosen.client_cert = settings.http_tls_cert;
    chosen.client_key = settings.http_tls_key;
    return chosen;
}

peers::KeeperSettings keeper_settings(const config::Settings& settings) {
    peers::KeeperSettings chosen;
    chosen.heartbeat = settings.peer_heartbeat;
    chosen.longest_delay = settings.peer_heartbeat * 10;
    return chosen;
}

reports::ReporterSettings report_settings(const config::Settings& settings) {
    reports::ReporterSettings chosen;
    chosen.bounds = {settings.report_most, settings.report_most_bytes};
    chosen.link.heartbeat = settings.report_heartbeat;
    chosen.link.picture_every = settings.report_picture_every;
    for (const config::ControllerSetting& one : settings.controllers) {
        reports::Controller controller;
        controller.url = one.url;
        controller.dialect = one.dialect;
        controller.wants_jobs = one.job_results;
        if (!one.token_file.empty()) {
            std::ifstream file(one.token_file);
            if (!std::getline(file, controller.token))
                throw Error(Code::invalid_argument, "[[controllers]] token_file: " + one.token_file + " cannot be read");
        }
        reports::check_controller(controller);
        chosen.controllers.push_back(std::move(controller));
    }
    return chosen;
}

jobs::JobSettings job_settings(const config::Settings& settings) {
    jobs::JobSettings chosen;
    chosen.quick_limit = static_cast<std::size_t>(settings.job_quick_limit);
    chosen.power_limit = static_cast<std::size_t>(settings.job_power_limit);
    chosen.copy_limit = static_cast<std::size_t>(settings.job_copy_limit);
    chosen.migrate_limit = static_cast<std::size_t>(settings.job_migrate_limit);
    chosen.result_lifetime = settings.job_result_lifetime;
    chosen.webhook_lifetime = settings.job_result_lifetime;
    return chosen;
}

http::HttpSettings server_settings(const config::Settings& settings) {
    http::HttpSettings chosen;
    chosen.listen = settings.http_listen;
    chosen.insecure = settings.http_insecure;
    chosen.tls_cert = settings.http_tls_cert;
    chosen.tls_key = settings.http_tls_key;
    chosen.client_ca = settings.http_client_ca;
    chosen.metrics_public = settings.metrics_public;
    chosen.metrics_token = settings.metrics_token;
    chosen.max_connections = static_cast<std::size_t>(settings.http_max_connections);
    chosen.max_body = settings.http_max_body;
    return chosen;
}

state::IoErrorSettings io_error_settings(const config::Settings& settings) {
    state::IoErrorSettings chosen;
    chosen.policy = settings.io_error_policy;
    chosen.first_delay = settings.io_error_first_delay;
    chosen.longest_delay = settings.io_error_longest_delay;
    chosen.room = settings.io_error_room;
    return chosen;
}

state::StorageWatchSettings storage_watch_settings(const config::Settings& settings) {
    state::StorageWatchSettings chosen;
    chosen.interval = settings.storage_check_interval;
    chosen.full_percent = settings.storage_full_percent;
    return chosen;
}

std::vector<state::CertificateWatch::File> certificates(const config::Settings& settings) {
    std::vector<state::CertificateWatch::File> files;
    if (!settings.http_tls_cert.empty()) files.push_back({"[http] tls_cert", settings.http_tls_cert});
    if (!settings.http_client_ca.empty()) files.push_back({"[http] client_ca", settings.http_client_ca});
    if (!settings.report_ca_file.empty()) files.push_back({"[report] ca_file", settings.report_ca_file});
    return files;
}

}  // namespace hvagent::app
