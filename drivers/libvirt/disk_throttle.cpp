#include "drivers/libvirt/disk_throttle.h"

#include "drivers/libvirt/typed_params.h"

namespace hvagent::libvirt {

void throttle_disk(virDomainPtr domain, const std::string& target, const DiskThrottle& throttle, unsigned scope,
                   const std::string& what) {
    TypedParams limits;
    const auto add = [&](const char* name, std::int64_t value) {
        if (value < 0) throw Error(Code::invalid_argument, what + ": a limit cannot be negative");
        limits.add(name, static_cast<unsigned long long>(value));
    };
    add(VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC, throttle.total_bandwidth);
    add(VIR_DOMAIN_BLOCK_IOTUNE_READ_BYTES_SEC, throttle.read_bandwidth);
    add(VIR_DOMAIN_BLOCK_IOTUNE_WRITE_BYTES_SEC, throttle.write_bandwidth);
    add(VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC, throttle.total_iops);
    add(VIR_DOMAIN_BLOCK_IOTUNE_READ_IOPS_SEC, throttle.read_iops);
    add(VIR_DOMAIN_BLOCK_IOTUNE_WRITE_IOPS_SEC, throttle.write_iops);
    checked(virDomainSetBlockIoTune(domain, target.c_str(), limits.get(), limits.count(), scope), what);
}

}  // namespace hvagent::libvirt
