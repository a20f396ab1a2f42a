#include "agent/operations/migration/verdict.h"

#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

bool in_post_copy(const MigrationTruth& truth) {
    return truth.reason.find("post-copy") != std::string::npos;
}

bool has_broken_off(const MigrationTruth& truth) {
    return truth.reason == post_copy_broke_off;
}

Judgement wait_because(std::string reason) {
    return {Verdict::wait, std::move(reason)};
}

Judgement judge_paused_here(const MigrationTruth& here, const std::optional<MigrationTruth>& there, bool was_paused) {
    if (in_post_copy(here)) {
        // Its memory is in two halves: neither end may be ended.
        if (!there) return wait_because("the source is in " + here.reason + " and the destination does not answer");
        if (there->active && there->state == VmState::running && !there->migrating_in && !in_post_copy(*there))
            return {Verdict::moved, "it runs at the destination"};
        if (there->active)
            return {
                Verdict::wait,
                "the memory is on both hosts: " + here.reason + " at the source, " + there->reason + " at the destination",
                !has_broken_off(here), has_broken_off(here)};
        return wait_because(
            "post-copy broke off, and the destination has lost the VM: the guest's memory is incomplete. "
            "Destroyed at the source by hand (virsh destroy), it is Stopped and can be started anew");
    }
    if (was_paused) {
        if (there && there->migrating_in) return wait_because("the destination is not through with it");
        return {Verdict::stayed, "it is paused at the source, as it was"};
    }
    if (!there)
        return wait_because("it is paused at the source (" + here.reason +
                            "), and the destination, where it may run, does not answer");
    if (!there->active) return {Verdict::stayed, "the destination does not have it"};
    if (there->state == VmState::running) return {Verdict::moved, "it runs at the destination"};
    if (there->migrating_in) return wait_because("the destination is not through with it");
    return {Verdict::stayed, "it is paused at both ends"};
}

Judgement judge_off_here(const MigrationTruth& here, const std::optional<MigrationTruth>& there) {
    // libvirt ends and undefines the source's only when the destination has it.
    const bool handed_over = here.reason == "migrated" || here.is_absent();
    if (!there)
        return wait_because(handed_over ? "the source has handed it over, and the destination does not answer"
                                        : "it is off at the source (" + here.reason +
                                              "), and the destination, where it may run, does not answer");
    if (there->migrating_in) return wait_because("the destination is not through with it");
    if (there->active) return {Verdict::moved, "it is at the destination only"};
    if (handed_over) return {Verdict::moved, "it moved, and went off at the destination since"};
    return {Verdict::stayed, "it went off at the source (" + here.reason + ") and never ran at the destination"};
}

}  // namespace

Judgement judge(const std::optional<MigrationTruth>& here, const std::optional<MigrationTruth>& there, bool was_paused) {
    if (!here) return wait_because("libvirt of the source does not answer");
    // A job of libvirt's stays with a post-copy that broke off.
    if (here->migrating_out && !has_broken_off(*here)) return {Verdict::wait, "the migration goes on", true};
    if (!here->active) return judge_off_here(*here, there);
    if (here->state == VmState::running) return {Verdict::stayed, "it runs at the source"};
    return judge_paused_here(*here, there, was_paused);
}

nlohmann::json to_json(const MigrationTruth& truth) {
    return {{"state", hvagent::to_text(truth.state)},
            {"reason", truth.reason},
            {"defined", truth.defined},
            {"active", truth.active},
            {"migratingOut", truth.migrating_out},
            {"migratingIn", truth.migrating_in}};
}

MigrationTruth truth_from_json(const nlohmann::json& sent) {
    MigrationTruth truth;
    const auto state = parse_enum<VmState>(sent.at("state").get<std::string>());
    if (!state) throw Error(Code::invalid_argument, "an unknown state of the VM: " + sent.at("state").dump());
    truth.state = *state;
    truth.reason = sent.at("reason").get<std::string>();
    truth.defined = sent.at("defined").get<bool>();
    truth.active = sent.at("active").get<bool>();
    truth.migrating_out = sent.at("migratingOut").get<bool>();
    truth.migrating_in = sent.at("migratingIn").get<bool>();
    return truth;
}

}  // namespace hvagent::operations
