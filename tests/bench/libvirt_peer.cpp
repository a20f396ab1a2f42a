#include "tests/bench/libvirt_peer.h"

#include <libvirt/virterror.h>

#include <cstdlib>
#include <stdexcept>

namespace hvagent::bench {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error("libvirt: " + what + ": " + virGetLastErrorMessage());
}

void check(int result, const char* what) {
    if (result < 0) fail(what);
}

}  // namespace

LibvirtPeer::LibvirtPeer(const std::string& uri) : connection_(virConnectOpen(uri.c_str()), virConnectClose) {
    virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
    if (!connection_) fail("open " + uri);
}

LibvirtPeer::Vm::Vm(virConnectPtr connection, const std::string& name)
    : domain_(virDomainLookupByName(connection, name.c_str()), virDomainFree) {
    if (!domain_) fail("find " + name);
}

void LibvirtPeer::Vm::suspend() {
    check(virDomainSuspend(domain_.get()), "suspend");
}
void LibvirtPeer::Vm::resume() {
    check(virDomainResume(domain_.get()), "resume");
}
void LibvirtPeer::Vm::start() {
    check(virDomainCreate(domain_.get()), "start");
}
void LibvirtPeer::Vm::destroy() {
    check(virDomainDestroy(domain_.get()), "destroy");
}

int LibvirtPeer::Vm::state() {
    int state = 0;
    check(virDomainGetState(domain_.get(), &state, nullptr, 0), "state");
    return state;
}

std::size_t LibvirtPeer::stats() {
    constexpr unsigned groups =
        VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BLOCK;
    virDomainStatsRecordPtr* records = nullptr;
    const int count =
        virConnectGetAllDomainStats(connection_.get(), groups, &records,
                                    VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
    check(count, "read the figures of all domains");
    virDomainStatsRecordListFree(records);
    return static_cast<std::size_t>(count);
}

std::size_t LibvirtPeer::list() {
    virDomainPtr* domains = nullptr;
    const int count = virConnectListAllDomains(connection_.get(), &domains, 0);
    check(count, "list");
    bool all = true;
    for (int i = 0; i < count; ++i) {
        int state = 0;
        all = virDomainGetName(domains[i]) && virDomainGetState(domains[i], &state, nullptr, 0) == 0 && all;
        virDomainFree(domains[i]);
    }
    std::free(domains);
    if (!all) fail("state of a listed domain");
    return static_cast<std::size_t>(count);
}

}  // namespace hvagent::bench
