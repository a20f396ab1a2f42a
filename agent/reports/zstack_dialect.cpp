#include <array>
#include <set>

#include "agent/reports/dialect.h"

namespace hvagent::reports {
namespace {

// KvmVmState of a state of ours; the management node throws at any other word. Unknown and what a job is doing are not told:
// the node knows its own commands, and learns nothing from what we do not know.
const char* kvm_state(const std::string& state) {
    static constexpr std::array<std::pair<const char*, const char*>, 5> names{{{"Running", "Running"},
                                                                               {"Paused", "Paused"},
                                                                               {"Stopped", "Shutdown"},
                                                                               {"Crashed", "Crashed"},
                                                                               {"NoState", "NoState"}}};
    for (const auto& [ours, theirs] : names)
        if (state == ours) return theirs;
    return nullptr;
}

// VmAbnormalLifeCycleStruct of the management node knows these; it throws at others.
bool is_known_change(const std::string& before, const std::string& after) {
    static const std::set<std::pair<std::string, std::string>> known{
        {"Running", "Stopped"}, {"NoState", "Stopped"}, {"Unknown", "Stopped"},   {"Running", "Paused"},
        {"Paused", "Running"},  {"Running", "Crashed"}, {"Crashed", "Running"},   {"Crashed", "Stopped"},
        {"Paused", "Stopped"},  {"Running", "NoState"}, {"Stopped", "Running"},   {"Stopped", "Paused"},
        {"Unknown", "Running"}, {"NoState", "Running"}, {"Destroyed", "Running"}, {"Destroyed", "Paused"}};
    return known.contains({before, after});
}

class ZstackDialect final : public Dialect {
public:
    explicit ZstackDialect(std::string host_uuid) : host_uuid_(std::move(host_uuid)) {}

    std::vector<Letter> write(const std::vector<Report>& batch, std::int64_t) override {
        std::vector<Letter> letters;
        for (const Report& report : batch)
            for (const json& item : json::parse(report.items)) {
                if (report.kind == vm_states) add_change(letters, item);
                if (report.kind == host_events && item.value("event", "") == "VmRebootedByGuest")
                    letters.push_back(letter("/kvm/reportvmreboot", {{"vmUuid", item.value("vmUuid", "")}}));
            }
        return letters;
    }
    // The node asks for whole pictures itself (/vm/vmsync), and pings.
    std::vector<Letter> write(const Picture& picture) override {
        for (const json& vm : picture.vms)
            if (const char* theirs = kvm_state(vm.value("state", ""))) told_[vm.value("uuid", "")] = theirs;
        return {};
    }
    std::vector<Letter> write_heartbeat(const json&, std::int64_t) override { return {}; }

    bool remembers() const override { return true; }
    // 404: this management node has no handler for the path and never will.
    bool is_taken(const HttpReply& reply) const override { return Dialect::is_taken(reply) || reply.status == 404; }

private:
    void add_change(std::vector<Letter>& letters, const json& change) {
        const std::string vm = change.value("uuid", ""), state = change.value("state", "");
        const std::string before = change.value("previousState", ""), reason = change.value("reason", "");
        // A QEMU that powers off is told when it is gone; of a paused VM this would look like a resume.
        if (reason == "shutting down") return;
        const char* const theirs = kvm_state(state);
        // The node compares with what it knows after its own command; libvirt silent and back is no change of a VM.
        const auto known = told_.find(vm);
        if (state == "Expunged" && known != told_.end()) told_.erase(known);
        if (!theirs || (before == "Unknown" && known != told_.end() && known->second == theirs)) return;
        told_[vm] = theirs;
        if (state == "Running" && reason == "booted" && before != "Unknown")
            letters.push_back(letter("/kvm/reportvmstart", {{"vmUuid", vm}}));
        // What a command of the node did it learns from the answer; a VM that left by migration runs elsewhere.
        if (change.value("source", "") == "job" || reason == "migrated" || !is_known_change(before, state)) return;
        if (state == "Stopped" && reason == "shutdown") letters.push_back(letter("/kvm/reportvmshutdown", {{"vmUuid", vm}}));
        if (state == "Crashed") letters.push_back(letter("/kvm/reportvmcrash", {{"vmUuid", vm}}));
        letters.push_back(letter("/kvm/reportvmstate", {{"hostUuid", host_uuid_}, {"vmUuid", vm}, {"vmState", theirs}}));
    }
    static Letter letter(const char* path, const json& body) {
        return {{{"Content-Type", "application/json"}, {"commandpath", path}}, body.dump()};
    }

    const std::string host_uuid_;
    std::map<std::string, std::string> told_;  // the last state of each VM, told or known by the node's own command
};

}  // namespace

std::unique_ptr<Dialect> make_zstack_dialect(std::string host_uuid) {
    return std::make_unique<ZstackDialect>(std::move(host_uuid));
}

}  // namespace hvagent::reports
