// The CPUs of a guest, stopped for a moment. A mark in the live metadata says that it was us, so that a daemon that was
// killed in that moment lets them go in its next life.
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

// Lets CPUs go that an earlier life of the daemon has held; those that somebody else paused stay.
void release_held_cpus(virDomainPtr domain);

}  // namespace hvagent::libvirt
