// Opens connections to the hypervisor of one URI.
#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "drivers/libvirt/event_loop.h"
#include "drivers/libvirt/handles.h"

namespace hvagent::libvirt {

// Thread-safe. Opening may take for ever while libvirtd is frozen: call from a thread that may hang.
class ConnectionSource {
public:
    explicit ConnectionSource(std::string uri);
    ~ConnectionSource();

    // With keepalive on (5 s, 5 times) where the connection knows it. Error(host_connection).
    Connect open();
    const std::string& uri() const { return uri_; }

private:
    const std::string uri_;
    std::mutex mutex_;
    // The test driver makes a world of its own for each connection to a file: all duties share one there.
    const bool one_world_;
    Connect world_;
    std::shared_ptr<EventLoop> loop_;
};

}  // namespace hvagent::libvirt
