// Whether KVM runs guests here.
#pragma once

namespace hvagent::libvirt {

// Makes a VM of a few real-mode instructions through /dev/kvm and lets it run; false when any step fails or it does not
// end within `patience_ms`. A /dev/kvm that opens is no proof; this is more, and still not all: it shows that the CPU
// enters a guest and comes back, not that every instruction of a modern kernel works (nested KVM has been seen to
// boot nothing although this passes). `virt_type` in the configuration has the last word.
bool kvm_runs_a_guest(int patience_ms = 50);

}  // namespace hvagent::libvirt
