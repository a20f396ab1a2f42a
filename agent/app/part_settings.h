// From the daemon's settings to those of its parts.
#pragma once
#include <vector>

#include "agent/config/settings.h"
#include "agent/http/settings.h"
#include "agent/jobs/engine.h"
#include "agent/peers/peer_keeper.h"
#include "agent/reports/reporter.h"
#include "agent/state/certificate_watch.h"
#include "agent/state/io_error_keeper.h"
#include "agent/state/storage_watch.h"
#include "drivers/http_client/http_settings.h"
#include "drivers/libvirt/libvirt_host.h"
#include "drivers/process/lasting_commands.h"
#include "drivers/qemu_img/qemu_img.h"

namespace hvagent::app {

libvirt::LibvirtSettings libvirt_settings(const config::Settings& settings);
CopyPolicy copy_policy(const config::Settings& settings);
LastingSettings lasting_settings(const config::Settings& settings);
QemuImgSettings image_settings(const config::Settings& settings, std::shared_ptr<LastingCommands> lasting);
hvagent::HttpSettings client_settings(const config::Settings& settings);
hvagent::HttpSettings report_client_settings(const config::Settings& settings);
hvagent::HttpSettings peer_client_settings(const config::Settings& settings);
peers::KeeperSettings keeper_settings(const config::Settings& settings);
reports::ReporterSettings report_settings(const config::Settings& settings);
jobs::JobSettings job_settings(const config::Settings& settings);
http::HttpSettings server_settings(const config::Settings& settings);
state::IoErrorSettings io_error_settings(const config::Settings& settings);
state::StorageWatchSettings storage_watch_settings(const config::Settings& settings);
std::vector<state::CertificateWatch::File> certificates(const config::Settings& settings);

}  // namespace hvagent::app
