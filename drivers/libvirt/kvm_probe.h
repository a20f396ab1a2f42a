// Whether KVM runs guests here.
#pragma once
#include <string>

namespace hvagent::libvirt {

// Makes a VM of a few real-mode instructions through /dev/kvm and lets it run; fails when any step does or it does not
// end within `patience_ms`. A /dev/kvm that opens is no proof; this is more, and still not all: it shows that the CPU
// enters a guest and comes back, not that every instruction of a modern kernel works (nested KVM has been seen to
// boot nothing although this passes). `virt_type` in the configuration has the last word.
struct KvmTrial {
    bool works = false;
    std::string why_not;
};
KvmTrial try_kvm(int patience_ms = 1000);

}  // namespace hvagent::libvirt
