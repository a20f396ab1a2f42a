// CloneVmInstance: records, copies, starts. A clone that fails leaves nothing; the others live.
#include <map>
#include <memory>
#include <optional>

#include "agent/api/row.h"
#include "agent/operations/clone/clone_disks.h"
#include "agent/operations/clone/clone_plan.h"
#include "agent/operations/snapshot/creation.h"
#include "agent/operations/vm/parts.h"
#include "agent/operations/vm/removal.h"
#include "agent/operations/volume/volume_user.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

using state::Transition;

class Cloning {
public:
    Cloning(Services& services, Job& job, const CloneVm& params)
        : services_(services), job_(job), params_(params), clones_(plan_clones(services, job, params)) {}

    json run() {
        try {
            record();
            copy();
            for (const PlannedClone& clone : clones_) attempt(clone, [&] { finish(clone); });
        } catch (...) {
            const Error error = current_error();
            // A stopping daemon leaves what is made: its next start runs the job again.
            const bool interrupted =
                job_.cancellation().reason() == CancelReason::stopping && error.code() == Code::job_cancelled;
            if (!interrupted)
                for (const PlannedClone& clone : clones_) remove(clone);
            throw error;
        }
        return answer();
    }

private:
    static std::string failure_key(const PlannedClone& clone) { return "failure of " + clone.vm.str(); }

    // All or none of them, so that the next life knows what "not there" means.
    void record() {
        if (!job_.recall("recorded")) {
            services_.inventory.transaction([&] {
                for (const PlannedClone& clone : clones_)
                    if (!services_.inventory.find<Vm>(clone.vm)) record_clone(services_, params_, clone);
            });
            for (const PlannedClone& clone : clones_) show_as_starting(clone);
            require_room_for_clones(services_, clones_);
            job_.remember("recorded", true);
        }
        for (const PlannedClone& clone : clones_) {
            if (const auto failure = job_.recall(failure_key(clone))) failures_.emplace(clone.vm, parse(*failure));
            show_as_starting(clone);
        }
    }

    // Nobody else starts a clone while it is made.
    void show_as_starting(const PlannedClone& clone) {
        const auto vm = services_.inventory.find<Vm>(clone.vm);
        if (vm && vm->intent == VmIntent::created && !transitions_.contains(clone.vm))
            transitions_.emplace(clone.vm, std::make_unique<Transition>(services_.states, clone.vm, VmState::starting));
    }

    void copy() {
        const Vm source = services_.inventory.get<Vm>(params_.vm);
        const PlannedClone* model = nullptr;  // a running source is read once, its copy for the other clones
        for (const PlannedClone& clone : clones_) {
            attempt(clone, [&] {
                const ProgressPercent progress = progress_of(clone);
                const bool is_done = has_disks(services_, clone);
                if (!is_done && !model && access_of(services_, source) == DiskAccess::live)
                    copy_from_running(source, clone, progress);
                else if (!is_done)
                    copy_disks(services_, job_, clone, model, progress);
                if (!model && job_.recall("model") == json(clone.vm.str())) model = &clone;
            });
        }
    }

    void copy_from_running(const Vm& source, const PlannedClone& clone, const ProgressPercent& progress) {
        try {
            copy_live_disks(services_, job_, source.uuid, clone, progress);
            job_.remember("model", clone.vm.str());
        } catch (const Error& error) {
            // A guest may power off at any moment; then its files are nobody's.
            if (job_.cancellation().wanted() || access_of(services_, source) == DiskAccess::live) throw;
            log::info("the VM went off while it was cloned", {{"vm", source.uuid.str()}, {"error", error.details()}});
            copy_disks(services_, job_, clone, nullptr, progress);
        }
    }

    ProgressPercent progress_of(const PlannedClone& clone) {
        const auto index = static_cast<std::size_t>(&clone - clones_.data());
        return [this, index, name = clone.name](int percent) {
            const auto count = static_cast<int>(clones_.size());
            job_.progress((static_cast<int>(index) * 100 + percent) * 9 / (count * 10), "copy the disks of " + name);
        };
    }

    void finish(const PlannedClone& clone) {
        if (params_.strategy == CreationStrategy::just_create) {
            transitions_.erase(clone.vm);
            return;
        }
        const auto transition = transitions_.find(clone.vm);
        if (transition == transitions_.end() && params_.strategy != CreationStrategy::instant_start) return;
        services_.inventory.modify<Vm>(clone.vm, [](Vm& vm) {
            vm.creation_plan.clear();
            vm.intent = VmIntent::kept;
        });
        if (params_.strategy == CreationStrategy::instant_start)
            start(clone);
        else
            transition->second->arrived(VmState::stopped, "cloned");
    }

    void start(const PlannedClone& clone) {
        if (services_.inventory.get<Vm>(clone.vm).should_run) return;  // an earlier life of this job came so far
        auto& transition = transitions_[clone.vm];
        if (!transition) transition = std::make_unique<Transition>(services_.states, clone.vm, VmState::starting);
        job_.progress(95, "start " + clone.name);
        if (services_.states.look(clone.vm) != VmState::running) {
            transition->heading_for(VmState::running);
            boot(services_, job_, clone.vm);
        }
        transition->arrived(VmState::running, "booted", [](Vm& vm) { vm.should_run = true; });
    }

    // What goes wrong with one clone is told in its place of the answer.
    void attempt(const PlannedClone& clone, const std::function<void()>& work) {
        if (failures_.contains(clone.vm)) return;
        job_.cancellation().check();
        try {
            work();
        } catch (...) {
            const Error error = current_error();
            if (error.code() == Code::job_cancelled || job_.cancellation().wanted()) throw error;
            log::warning("a clone failed", {{"vm", clone.vm.str()}, {"name", clone.name}, {"error", error.details()}});
            const Error told(Code::operation_failed, "the clone " + clone.name + " could not be made: " + error.details(),
                             error);
            remove(clone);
            job_.remember(failure_key(clone), api::to_json(told));
            failures_.emplace(clone.vm, told);
        }
    }

    void remove(const PlannedClone& clone) {
        transitions_.erase(clone.vm);
        remove_vm_completely(services_, clone.vm);
    }

    static Error parse(const json& stored) {
        const Code code = code_from_wire(stored.at("code").get<std::string>());
        const std::string details = stored.at("details").get<std::string>();
        return stored.contains("cause") ? Error(code, details, parse(stored["cause"])) : Error(code, details);
    }

    json answer() {
        json inventories = json::array();
        int made = 0;
        for (const PlannedClone& clone : clones_) {
            const auto failure = failures_.find(clone.vm);
            if (failure != failures_.end()) {
                inventories.push_back({{"error", api::to_json(failure->second)}});
                continue;
            }
            inventories.push_back({{"inventory", services_.inventory.view("VmInstance", clone.vm.str())}});
            ++made;
        }
        return {{"result", {{"numberOfClonedVm", made}, {"inventories", inventories}}}};
    }

    Services& services_;
    Job& job_;
    const CloneVm& params_;
    const std::vector<PlannedClone> clones_;
    std::map<VmId, std::unique_ptr<Transition>> transitions_;
    std::map<VmId, Error> failures_;
};

}  // namespace

json clone_vm(Services& services, Job& job, const CloneVm& params) {
    if (!job.resumed()) {
        check_clones(services, params);
        settle_creations(services, params.vm);
    }
    return Cloning(services, job, params).run();
}

}  // namespace hvagent::operations
