// Virtual networks in memory.
#pragma once
#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "hvagent/drivers/virtual_networks.h"
#include "hvagent/error.h"
#include "tests/fakes/faults.h"

namespace hvagent {

class FakeVirtualNetworks final : public VirtualNetworks {
public:
    explicit FakeVirtualNetworks(Faults& faults) : faults_(faults) {}

    void ensure_nat_network(const NatNetworkSpec& spec) override {
        faults_.happen("ensure_nat_network");
        const std::lock_guard lock(mutex_);
        const auto [entry, is_new] = networks_.try_emplace(spec.name, Entry{spec, {}, true});
        const NatNetworkSpec& has = entry->second.spec;
        if (has.bridge != spec.bridge || has.gateway != spec.gateway || has.netmask != spec.netmask)
            throw Error(Code::operation_failed,
                        "libvirt has a network \"" + spec.name + "\" already, but it is another one");
        entry->second.active = true;
        bridges_.insert(spec.bridge);
    }
    void remove_network(const std::string& name) override {
        faults_.happen("remove_network");
        const std::lock_guard lock(mutex_);
        if (const auto found = networks_.find(name); found != networks_.end()) {
            bridges_.erase(found->second.spec.bridge);
            networks_.erase(found);
        }
    }
    bool network_is_active(const std::string& name) override {
        faults_.happen("network_is_active");
        const std::lock_guard lock(mutex_);
        const auto found = networks_.find(name);
        return found != networks_.end() && found->second.active;
    }
    void put_dhcp_host(const std::string& network, const DhcpHost& host) override {
        faults_.happen("put_dhcp_host");
        const std::lock_guard lock(mutex_);
        auto& hosts = get(network).hosts;
        std::erase_if(hosts, [&](const DhcpHost& entry) { return entry.mac == host.mac || entry.ip == host.ip; });
        hosts.push_back(host);
    }
    void remove_dhcp_host(const std::string& network, const std::string& mac) override {
        faults_.happen("remove_dhcp_host");
        const std::lock_guard lock(mutex_);
        if (const auto found = networks_.find(network); found != networks_.end())
            std::erase_if(found->second.hosts, [&](const DhcpHost& entry) { return entry.mac == mac; });
    }
    std::vector<DhcpHost> list_dhcp_hosts(const std::string& network) override {
        faults_.happen("list_dhcp_hosts");
        const std::lock_guard lock(mutex_);
        return get(network).hosts;
    }
    bool bridge_exists(const std::string& name) override {
        const std::lock_guard lock(mutex_);
        return bridges_.contains(name);
    }

    // Test: a bridge that is on the host.
    void add_bridge(const std::string& name) {
        const std::lock_guard lock(mutex_);
        bridges_.insert(name);
    }
    // Test: somebody stopped the network behind our back.
    void deactivate(const std::string& name) {
        const std::lock_guard lock(mutex_);
        get(name).active = false;
    }

private:
    struct Entry {
        NatNetworkSpec spec;
        std::vector<DhcpHost> hosts;
        bool active = false;
    };
    Entry& get(const std::string& name) {
        const auto found = networks_.find(name);
        if (found == networks_.end()) throw Error(Code::not_found, "libvirt has no network \"" + name + "\"");
        return found->second;
    }

    Faults& faults_;
    std::mutex mutex_;
    std::map<std::string, Entry> networks_;
    std::set<std::string> bridges_;
};

}  // namespace hvagent
