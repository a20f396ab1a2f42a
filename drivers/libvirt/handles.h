// Owners of libvirt's C objects, and the check that turns a failed call into an Error.
#pragma once
#include <libvirt/libvirt.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "drivers/libvirt/libvirt_error.h"

namespace hvagent::libvirt {

template <auto release>
struct Release {
    template <class T>
    void operator()(T* handle) const {
        release(handle);
    }
};

// virConnectPtr is counted: a shared_ptr gives the reference back when the last user is done.
using Connect = std::shared_ptr<virConnect>;
using Domain = std::unique_ptr<virDomain, Release<virDomainFree>>;
using SharedDomain = std::shared_ptr<virDomain>;
using Network = std::unique_ptr<virNetwork, Release<virNetworkFree>>;
using StatsList = std::unique_ptr<virDomainStatsRecordPtr, Release<virDomainStatsRecordListFree>>;

struct ReleaseText {
    void operator()(char* text) const { std::free(text); }
};
using Text = std::unique_ptr<char, ReleaseText>;

// libvirt's two ways to say "failed": null and negative. Called at once: the next libvirt call of this thread overwrites
// the error.
template <class T>
T* checked(T* result, std::string_view what) {
    if (!result) throw_last_error(what);
    return result;
}
template <class T>
requires std::is_integral_v<T> T checked(T result, std::string_view what) {
    if (result < 0) throw_last_error(what);
    return result;
}

// `flags`: VIR_CONNECT_LIST_DOMAINS_...
inline std::vector<Domain> list_domains(virConnectPtr connection, unsigned flags) {
    virDomainPtr* raw = nullptr;
    const int count = checked(virConnectListAllDomains(connection, &raw, flags), "list domains");
    std::vector<Domain> domains(raw, raw + count);
    std::free(raw);
    return domains;
}

}  // namespace hvagent::libvirt
