// The same things by libvirt's C calls, on a connection that stays open.
#pragma once
#include <libvirt/libvirt.h>

#include <memory>
#include <string>

namespace hvagent::bench {

class LibvirtPeer {
public:
    explicit LibvirtPeer(const std::string& uri);

    // A domain that stays looked up. All calls throw libvirt's words.
    class Vm {
    public:
        Vm(virConnectPtr connection, const std::string& name);
        void suspend();
        void resume();
        void start();
        void destroy();
        int state();

    private:
        std::unique_ptr<virDomain, decltype(&virDomainFree)> domain_;
    };
    Vm vm(const std::string& name) { return Vm(connection_.get(), name); }
    // Name and state of every domain, as `virsh list --all` shows; returns how many there are.
    std::size_t list();
    // virConnectGetAllDomainStats of the groups that a scrape of the agent costs most times; returns how many records.
    std::size_t stats();

private:
    std::unique_ptr<virConnect, decltype(&virConnectClose)> connection_;
};

}  // namespace hvagent::bench
