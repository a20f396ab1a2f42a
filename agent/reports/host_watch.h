// Stands between libvirt's events and who follows them, and reports what is more than a state of a VM.
#pragma once
#include <map>
#include <string>

#include "agent/reports/reporter.h"
#include "hvagent/drivers/vm_observer.h"

namespace hvagent::reports {

// Called from the observer's thread, like what it passes everything on to.
class HostWatch final : public VmObserverListener {
public:
    HostWatch(VmObserverListener& next, Reporter& reporter, const Clock& clock)
        : next_(next), reporter_(reporter), clock_(clock) {}

    void on_connected(std::vector<VmObservation> picture) override;
    void on_event(const VmEvent& event) override;
    void on_disconnected(const std::string& reason) override;

private:
    bool was_told(const VmEvent& event);

    VmObserverListener& next_;
    Reporter& reporter_;
    const Clock& clock_;
    std::map<VmId, std::string> io_errors_;  // told of VMs since they last changed their state
};

}  // namespace hvagent::reports
