#include "drivers/libvirt/connection_source.h"

#include <libvirt/virterror.h>

namespace hvagent::libvirt {
namespace {

constexpr int keepalive_seconds = 5;
constexpr unsigned keepalive_count = 5;

Connect open_uri(const std::string& uri, std::shared_ptr<EventLoop> loop) {
    virConnectPtr raw = virConnectOpen(uri.c_str());  // without callbacks: a daemon has nobody to ask for a password
    if (!raw) {
        std::string text = "connect to libvirt at " + uri + ": " + last_error_text();
        throw LibvirtError(Code::host_connection, std::move(text), last_error_number());
    }
    Connect connection(raw, [loop](virConnectPtr open) { virConnectClose(open); });
    // Local drivers have no daemon to lose; they say so with 1 or "not supported".
    virConnectSetKeepAlive(raw, keepalive_seconds, keepalive_count);
    return connection;
}

}  // namespace

ConnectionSource::ConnectionSource(std::string uri) : uri_(std::move(uri)), one_world_(uri_.rfind("test://", 0) == 0) {}

ConnectionSource::~ConnectionSource() = default;

Connect ConnectionSource::open() {
    std::shared_ptr<EventLoop> loop;
    {
        std::lock_guard lock(mutex_);
        if (!loop_) loop_ = EventLoop::acquire();
        loop = loop_;
        if (one_world_) {
            if (!world_) world_ = open_uri(uri_, loop);
            return world_;
        }
    }
    return open_uri(uri_, loop);
}

}  // namespace hvagent::libvirt
