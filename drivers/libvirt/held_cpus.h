// The CPUs of a guest, stopped for a moment.
#pragma once
#include "drivers/libvirt/handles.h"

namespace hvagent::libvirt {

// Inside a call; nothing when the VM does not run. They go on at its end whatever happened.
class HeldCpus {
public:
    explicit HeldCpus(virDomainPtr domain);
    ~HeldCpus();
    HeldCpus(const HeldCpus&) = delete;
    HeldCpus& operator=(const HeldCpus&) = delete;

private:
    virDomainPtr domain_;
    bool held_ = false;
};

// Lets CPUs go that outlasted their moment; those that somebody else paused stay. False: they are still held.
bool release_held_cpus(virDomainPtr domain);

}  // namespace hvagent::libvirt
