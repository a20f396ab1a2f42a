#include <algorithm>
#include <thread>

#include "agent/operations/migration/candidates.h"
#include "agent/operations/migration/convergence.h"
#include "agent/operations/migration/departure.h"
#include "agent/operations/migration/drive.h"
#include "agent/operations/migration/handlers.h"
#include "agent/operations/migration/migrations.h"
#include "agent/operations/migration/options.h"
#include "agent/operations/snapshot/creation.h"
#include "agent/operations/vm/tags.h"
#include "agent/peers/peer_files.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

using state::Transition;

constexpr seconds verdict_patience{30};
constexpr milliseconds verdict_pause{200};
constexpr milliseconds ask_patience{60000};
constexpr milliseconds status_wait{1000};
// Shares of the progress: fetching layers, then libvirt's part.
constexpr int prepared_percent = 30;
constexpr int moved_percent = 95;

// Lets the destination read our frozen files for as long as it prepares.
class OfferedFiles {
public:
    OfferedFiles(Services& services, VmBundle& bundle) : services_(services), migration_(bundle.migration) {
        std::set<std::string> paths;
        for (MovingFile& file : bundle.files) {
            if (file.kind == FileKind::active) continue;
            file.ticket = services_.peer_files.offer(file.path);
            tickets_.push_back(file.ticket);
            paths.insert(file.path);
        }
        if (!bundle.needs.nvram.empty()) {
            bundle.nvram_ticket = services_.peer_files.offer(bundle.needs.nvram);
            tickets_.push_back(bundle.nvram_ticket);
        }
        services_.migrations.offer(migration_, std::move(paths));
    }
    ~OfferedFiles() {
        services_.migrations.withdraw(migration_);
        for (const std::string& ticket : tickets_) services_.peer_files.revoke(ticket);
    }
    OfferedFiles(const OfferedFiles&) = delete;
    OfferedFiles& operator=(const OfferedFiles&) = delete;

private:
    Services& services_;
    const MigrationId migration_;
    std::vector<std::string> tickets_;
};

class Departing {
public:
    Departing(Services& services, Job& job, const MigrateVm& params) : services_(services), job_(job), params_(params) {}

    json run() {
        if (const auto earlier = job_.recall("migration")) {
            const auto row = services_.inventory.find<Migration>(MigrationId(earlier->get<std::string>()));
            if (row) return go_on(*row);
            if (!services_.inventory.find<Vm>(params_.vm)) services_.inventory.get<Vm>(params_.vm);
            throw Error(Code::operation_failed, "the agent was stopped during the migration; the VM stays on this host");
        }
        return begin();
    }

private:
    json begin() {
        const auto now = services_.states.look(params_.vm);
        if (now != VmState::running && now != VmState::paused)
            throw Error(Code::vm_wrong_state, "the VM " + params_.vm.str() + " is " +
                                                  (now ? std::string(to_text(*now)) : "Unknown") +
                                                  ", and only one that runs or is paused can move");
        settle_creations(services_, params_.vm);  // their records say what lies where only then
        options_ = options();
        VmBundle bundle = make_bundle(services_, params_.vm);
        refuse_obstacles(obstacles_to_leaving(services_, bundle));
        job_.progress(1, "choose a host");
        probes_ = std::make_unique<StorageProbes>(services_, bundle);
        destination_ = choose(bundle);
        Transition transition(services_.states, params_.vm, VmState::migrating);
        write_down(bundle, now == VmState::paused);
        return carry_out(bundle);
    }

    MigrationOptions options() const {
        MigrationWishes wishes;
        wishes.auto_converge = params_.strategy == "auto-converge";
        if (params_.down_time) wishes.down_time = milliseconds(*params_.down_time);
        return migration_options(services_.settings, system_tags_of(services_.inventory, params_.vm.str()),
                                 params_.tags.system, wishes);
    }

    static void refuse_obstacles(const std::vector<std::string>& obstacles) {
        if (obstacles.empty()) return;
        std::string all;
        for (const std::string& one : obstacles) all += (all.empty() ? "" : "; ") + one;
        throw Error(Code::no_capability, "the VM cannot leave this host: " + all);
    }

    HostId choose(const VmBundle& bundle) {
        if (params_.host.empty()) {
            const std::vector<Candidate> candidates = find_candidates(services_, bundle);
            if (candidates.empty()) throw Error(Code::no_available_host, "no other host is known to this agent");
            if (!candidates.front().reasons.empty())
                throw Error(Code::no_available_host, "no host can take the VM: " + shown_reasons(candidates));
            return candidates.front().host.uuid;
        }
        if (params_.host == services_.host)
            throw Error(Code::invalid_argument, "parameter 'hostUuid': the VM is on the host " + params_.host.str());
        const Candidate wished{services_.inventory.get<Host>(params_.host),
                               reasons_against(services_, params_.host, bundle)};
        if (!wished.reasons.empty())
            throw Error(Code::no_available_host, "the host cannot take the VM: " + shown_reasons({wished}));
        return params_.host;
    }

    // From here on nothing starts the VM but what settles this migration.
    void write_down(const VmBundle& bundle, bool was_paused) {
        job_.remember("migration", bundle.migration.str());
        row_.uuid = bundle.migration;
        row_.vm = params_.vm;
        row_.role = MigrationRole::outgoing;
        row_.peer = destination_;
        row_.bundle = store(DepartureFacts{was_paused, {}, bundle.needs.nvram});
        turn_ = services_.migrations.take_turn(row_.uuid);
        services_.inventory.transaction([&] {
            services_.inventory.insert(row_);
            services_.inventory.modify<Vm>(params_.vm, [&](Vm& record) { record.migration = row_.uuid; });
        });
    }

    json carry_out(VmBundle& bundle) {
        std::optional<Error> failure;
        MigrationResult result;
        try {
            const json ready = prepare(bundle);
            probes_.reset();
            result = move(ready);
        } catch (...) {
            failure = current_error();
            if (job_.cancellation().reason() == CancelReason::stopping && failure->code() == Code::job_cancelled) throw;
        }
        return settle(failure, result);
    }

    json prepare(VmBundle& bundle) {
        const OfferedFiles offered(services_, bundle);
        services_.peers.ask(destination_, "migration-prepare", {{"vm", to_json(bundle)}}, ask_patience);
        for (;;) {
            job_.cancellation().check();
            const json sight =
                services_.peers.ask(destination_, "migration-status",
                                    {{"migration", row_.uuid.str()}, {"waitMs", status_wait.count()}}, ask_patience);
            const std::string state = sight.at("state").get<std::string>();
            if (state == "interrupted")  // its agent was restarted: what it has fetched stays
                services_.peers.ask(destination_, "migration-prepare", {{"vm", to_json(bundle)}}, ask_patience);
            if (state == "ready") return note_shared(sight);
            job_.progress(1 + sight.value("percent", 0) * (prepared_percent - 1) / 100,
                          "prepare the destination: " + sight.value("what", ""));
        }
    }

    json note_shared(const json& ready) {
        DepartureFacts facts = load_departure(row_);
        facts.shared_storages = ready.at("shared").get<std::set<std::string>>();
        if (ready.value("nvramShared", true)) facts.nvram.clear();  // an agent of before says nothing
        row_ = services_.inventory.modify<Migration>(row_.uuid, [&](Migration& record) { record.bundle = store(facts); });
        return ready;
    }

    MigrationResult move(const json& ready) {
        job_.cancellation().check();
        const auto show = [this](int percent, const std::string& what) {
            job_.progress(prepared_percent + percent * (moved_percent - prepared_percent) / 100, what);
        };
        log::info("vm departs", {{"vm", params_.vm.str()}, {"to", destination_.str()}});
        if (params_.from_destination) return drive_from_destination(services_, job_, row_, ready, options_, show);
        const std::string address = services_.inventory.get<Host>(destination_).management_ip;
        Convergence judge(options_, show, [this] { return is_lost(services_, destination_); });
        return services_.migration.migrate(params_.vm, way_from_json(ready, options_, address), judge, job_.cancellation());
    }

    // An earlier life of the daemon came so far.
    json go_on(const Migration& row) {
        row_ = row;
        destination_ = row.peer;
        if (row.stage == MigrationStage::departed) return with_figures(json::parse(row.bundle), {});
        turn_ = take_turn_patiently();
        Transition transition(services_.states, params_.vm, VmState::migrating);
        if (row.stage == MigrationStage::moved) return with_figures(finish({Verdict::moved, row.reason}), {});
        std::optional<Error> failure =
            Error(Code::operation_failed, "the agent was stopped during the migration: " + row.reason);
        MigrationResult result;
        if (row.stage == MigrationStage::open) {
            services_.states.wait_connected(services_.settings.libvirt_wait);
            if (services_.migration.truth(params_.vm).migrating_out) {
                try {
                    result = follow();
                    failure.reset();
                } catch (...) {
                    failure = current_error();
                    if (job_.cancellation().reason() == CancelReason::stopping) throw;
                }
            }
        }
        return settle(failure, result);
    }

    MigrationResult follow() {
        options_ = options();
        Convergence judge(
            options_, [this](int percent, const std::string& what) { job_.progress(percent, what); },
            [this] { return is_lost(services_, destination_); });
        return services_.migration.migrate(params_.vm, MigrationWay{}, judge, job_.cancellation());
    }

    std::unique_ptr<Migrations::Turn> take_turn_patiently() {
        for (int tries = 0; tries < 150; ++tries) {
            if (auto turn = services_.migrations.take_turn(row_.uuid)) return turn;
            job_.cancellation().check();
            std::this_thread::sleep_for(verdict_pause);
        }
        throw Error(Code::not_ready, "the migration " + row_.uuid.str() + " is being settled");
    }

    // However libvirt's call ended, both ends are asked.
    json settle(const std::optional<Error>& failure, const MigrationResult& result) {
        job_.progress(moved_percent, "settle where the VM is");
        if (failure) log::warning("a migration failed", {{"vm", params_.vm.str()}, {"error", failure->details()}});
        const Judgement judgement = await_judgement(failure);
        if (judgement.verdict == Verdict::moved) return with_figures(finish(judgement), result);
        if (const auto untold = finish_stayed(services_, row_, judgement))
            log::warning("the destination does not know yet that a VM stayed",
                         {{"vm", params_.vm.str()}, {"destination", destination_.str()}, {"error", untold->details()}});
        const std::string where = "; the VM stays on this host: " + judgement.reason;
        if (failure) throw Error(failure->code(), failure->details() + where);
        throw Error(Code::operation_failed, "libvirt called the migration done, but it is not" + where);
    }

    // The VM has moved, and no failure of what is left to do changes that: a libvirtd that restarts now is waited for.
    json finish(const Judgement& judgement) {
        const Moment until = services_.clock.moment() + verdict_patience;
        for (;;) {
            try {
                return finish_moved(services_, row_, judgement);
            } catch (const Error& error) {
                row_ = services_.inventory.get<Migration>(row_.uuid);
                if (row_.stage == MigrationStage::departed) return json::parse(row_.bundle);
                if (job_.cancellation().reason() == CancelReason::stopping) throw;
                if (services_.clock.moment() >= until)
                    throw Error(error.code(), "the VM is at the destination, and what is left to do follows by itself: " +
                                                  error.details());
                job_.progress(moved_percent, "settle where the VM is: " + error.details());
            }
            std::this_thread::sleep_for(verdict_pause);
        }
    }

    Judgement await_judgement(const std::optional<Error>& failure) {
        if (row_.stage == MigrationStage::stayed) return {Verdict::stayed, row_.reason};
        Moment until = services_.clock.moment() + verdict_patience;
        for (;;) {
            const Judgement judgement = judge_departure(services_, row_);
            if (judgement.verdict != Verdict::wait) return judgement;
            if (judgement.goes_on && !job_.cancellation().wanted()) until = services_.clock.moment() + verdict_patience;
            if (job_.cancellation().reason() == CancelReason::stopping) job_.cancellation().check();
            if (services_.clock.moment() >= until) leave_undecided(failure, judgement);
            job_.progress(moved_percent, "settle where the VM is: " + judgement.reason);
            std::this_thread::sleep_for(verdict_pause);
        }
    }

    [[noreturn]] void leave_undecided(const std::optional<Error>& failure, const Judgement& judgement) {
        services_.inventory.observe<Vm>(params_.vm, [&](Vm& record) { record.observed_reason = judgement.reason; });
        services_.migrations.look_soon();
        const std::string where =
            "where the VM runs cannot be told, so it is Unknown and is started nowhere, until both "
            "hosts answer: " +
            judgement.reason;
        if (failure) throw Error(failure->code(), failure->details() + "; " + where);
        throw Error(Code::operation_failed, where);
    }

    static json with_figures(json answer, const MigrationResult& result) {
        if (result.total.count() == 0) return answer;
        answer["migration"] = {{"totalMs", result.total.count()},        {"downtimeMs", result.downtime.count()},
                               {"transferredBytes", result.transferred}, {"iterations", result.iterations},
                               {"postCopy", result.post_copied},         {"pausedToConverge", result.paused_to_converge}};
        return answer;
    }

    Services& services_;
    Job& job_;
    const MigrateVm& params_;
    MigrationOptions options_;
    HostId destination_;
    Migration row_;
    std::unique_ptr<Migrations::Turn> turn_;
    std::unique_ptr<StorageProbes> probes_;  // until the destination has looked
};

}  // namespace

json migrate_vm(Services& services, Job& job, const MigrateVm& params) {
    return Departing(services, job, params).run();
}

}  // namespace hvagent::operations
