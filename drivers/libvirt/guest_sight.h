// VmGuests on libvirt.
#pragma once
#include "drivers/libvirt/domain_calls.h"
#include "hvagent/drivers/vm_guests.h"

namespace hvagent::libvirt {

class LibvirtVmGuests final : public VmGuests {
public:
    explicit LibvirtVmGuests(DomainCalls calls) : calls_(std::move(calls)) {}
    GuestSight look(const VmId& vm) override;

private:
    const DomainCalls calls_;
};

}  // namespace hvagent::libvirt
