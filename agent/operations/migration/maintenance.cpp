#include "agent/operations/migration/maintenance.h"

#include "agent/operations/migration/candidates.h"
#include "agent/operations/migration/departure.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

using nlohmann::json;

constexpr milliseconds look_again{500};  // for a cancellation; the end of a job wakes at once

std::vector<Vm> active_vms(Services& services) {
    std::vector<Vm> found;
    for (const Vm& vm : services.inventory.list<Vm>({{"hostUuid", services.host.str()}}))
        if (vm.intent == VmIntent::kept) found.push_back(vm);
    return found;
}

std::string shown(const Vm& vm) {
    return "VM " + vm.name + " (" + vm.uuid.str() + ")";
}

void set_state(Services& services, const std::string& state) {
    services.inventory.modify<Host>(services.host, [&](Host& host) { host.state = state; });
    log::info("host state changed", {{"state", state}});
}

json plan_for(Services& services, const Vm& vm) {
    json plan{{"vmInstanceUuid", vm.uuid.str()}, {"name", vm.name}};
    try {
        VmBundle bundle = make_bundle(services, vm.uuid);
        std::vector<std::string> reasons = obstacles_to_leaving(services, bundle);
        const StorageProbes probes(services, bundle);
        const std::vector<Candidate> candidates = find_candidates(services, bundle);
        if (reasons.empty() && !candidates.empty() && candidates.front().reasons.empty()) {
            plan["hostUuid"] = candidates.front().host.uuid.str();
            return plan;
        }
        if (candidates.empty()) reasons.push_back("no other host is known to this agent");
        if (!candidates.empty() && !candidates.front().reasons.empty()) reasons.push_back(shown_reasons(candidates));
        plan["reasons"] = reasons;
    } catch (const Error& error) {
        plan["reasons"] = {error.details()};
    }
    return plan;
}

// One job for each VM; their class's limit says how many move at a time.
class Drain {
public:
    Drain(Services& services, Job& job) : services_(services), job_(job) {}

    json run() {
        remember_state();
        set_state(services_, "PreMaintenance");
        try {
            move_all();
            if (services_.settings.maintenance_rest == "stop") stop_rest();
        } catch (...) {
            const Error error = current_error();
            if (job_.cancellation().reason() != CancelReason::stopping) give_up();
            throw error;
        }
        refuse_rest();
        set_state(services_, "Maintenance");
        json answer = services_.inventory.answer("Host", services_.host.str());
        answer["unmoved"] = unmoved_;
        return answer;
    }

private:
    void remember_state() {
        if (job_.recall("state before")) return;
        job_.remember("state before", services_.inventory.get<Host>(services_.host).state);
    }

    void move_all() {
        const std::vector<Vm> vms = active_vms(services_);
        std::map<VmId, JobId> jobs;
        for (const Vm& vm : vms) jobs[vm.uuid] = start(vm, "MigrateVm", {{"vmInstanceUuid", vm.uuid.str()}});
        std::size_t done = 0;
        for (const Vm& vm : vms) {
            job_.progress(static_cast<int>(done * 90 / vms.size()),
                          std::to_string(done) + " of " + std::to_string(vms.size()) + " VMs have moved or cannot");
            await(jobs[vm.uuid]);
            ++done;
            const auto end = services_.own_jobs.find_end(jobs[vm.uuid]);
            if (end && !end->succeeded && services_.inventory.find<Vm>(vm.uuid))
                unmoved_.push_back({{"vmInstanceUuid", vm.uuid.str()}, {"name", vm.name}, {"reason", end->reason}});
        }
    }

    void stop_rest() {
        std::vector<JobId> jobs;
        for (const Vm& vm : active_vms(services_))
            jobs.push_back(start(vm, "StopVmInstance", {{"uuid", vm.uuid.str()}, {"type", "grace"}}));
        for (const JobId& one : jobs) await(one);
    }

    // Once, also across a restart of the agent.
    JobId start(const Vm& vm, const std::string& operation, const json& arguments) {
        const std::string key = operation + " " + vm.uuid.str();
        if (const auto earlier = job_.recall(key)) {
            started_.push_back(JobId(earlier->get<std::string>()));
            return started_.back();
        }
        started_.push_back(services_.own_jobs.submit(operation, arguments));
        job_.remember(key, started_.back().str());
        return started_.back();
    }

    void await(const JobId& one) {
        while (!services_.own_jobs.wait(one, std::min(job_.deadline(), services_.clock.moment() + look_again))) {
            job_.cancellation().check();
            if (services_.clock.moment() >= job_.deadline())
                throw Error(Code::timeout, "the VMs have not all left this host");
        }
    }

    void give_up() {
        for (const JobId& one : started_) services_.own_jobs.cancel(one);
        set_state(services_, job_.recall("state before")->get<std::string>());
    }

    void refuse_rest() {
        const std::vector<Vm> rest = active_vms(services_);
        if (rest.empty()) return;
        std::string all;
        for (const Vm& vm : rest) {
            std::string reason = "it runs";
            for (const json& one : unmoved_)
                if (one.at("vmInstanceUuid") == vm.uuid.str()) reason = one.at("reason").get<std::string>();
            all += (all.empty() ? "" : "; ") + shown(vm) + ": " + reason;
        }
        throw Error(Code::host_maintenance, std::to_string(rest.size()) + (rest.size() == 1 ? " VM is" : " VMs are") +
                                                " left on this host, which stays in PreMaintenance: " + all);
    }

    Services& services_;
    Job& job_;
    std::vector<JobId> started_;
    json unmoved_ = json::array();
};

}  // namespace

json prepare_maintenance(Services& services, Job& job) {
    set_state(services, "PreMaintenance");
    const std::vector<Vm> vms = active_vms(services);
    json plans = json::array();
    for (const Vm& vm : vms) {
        job.cancellation().check();
        job.progress(static_cast<int>(plans.size() * 100 / vms.size()), "ask where " + shown(vm) + " could go");
        plans.push_back(plan_for(services, vm));
    }
    json answer = services.inventory.answer("Host", services.host.str());
    answer["plan"] = plans;
    return answer;
}

json drain_host(Services& services, Job& job) {
    return Drain(services, job).run();
}

}  // namespace hvagent::operations
