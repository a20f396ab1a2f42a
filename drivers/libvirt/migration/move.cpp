#include "drivers/libvirt/migration/move.h"

#include <algorithm>

#include "drivers/libvirt/domain_state.h"
#include "drivers/libvirt/migration/move_events.h"
#include "drivers/libvirt/migration/stream_cut.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

constexpr milliseconds look_again(250);
constexpr milliseconds look_patience(2000);
constexpr milliseconds order_patience(3000);
constexpr milliseconds prepare_patience(30000);
// libvirt ends a move in well under a second; with a peer that is silent it first waits for that.
constexpr milliseconds abort_patience(10000);
constexpr milliseconds abort_again(500);
constexpr milliseconds cut_after(3000);  // of an abort that is not obeyed
constexpr milliseconds figures_patience(1000);
// A libvirtd that has just come back finds its VMs one after the other.
constexpr milliseconds missing_patience(2000);
// A guest whose memory is on two hosts cannot go back: nobody ends this but us, for the caller's sake.
constexpr seconds longest_standstill(60);

Moment now() {
    return std::chrono::steady_clock::now();
}

milliseconds since(Moment begin) {
    return std::chrono::duration_cast<milliseconds>(now() - begin);
}

int set_downtime(virDomainPtr domain, unsigned long long ms) {
    return virDomainMigrateSetMaxDowntime(domain, ms, 0);
}
int set_speed(virDomainPtr domain, unsigned long long mib) {
    return virDomainMigrateSetMaxSpeed(domain, static_cast<unsigned long>(mib), 0);
}
int start_post_copy(virDomainPtr domain, unsigned long long) {
    return virDomainMigrateStartPostCopy(domain, 0);
}
int pause(virDomainPtr domain, unsigned long long) {
    return virDomainSuspend(domain);
}
int abort(virDomainPtr domain, unsigned long long) {
    return virDomainAbortJob(domain);
}
int cut_streams(virDomainPtr domain, unsigned long long) {
    return cut_disk_streams(domain);
}

bool is_post_copy(int state, int reason) {
    return state == VIR_DOMAIN_PAUSED &&
           (reason == VIR_DOMAIN_PAUSED_POSTCOPY || reason == VIR_DOMAIN_PAUSED_POSTCOPY_FAILED);
}

}  // namespace

Move::Move(MoveLines lines, const VmId& vm, const MigrationWay& way, MigrationJudge& judge, Cancellation& cancel)
    : lines_(std::move(lines)),
      vm_(vm),
      way_(way),
      judge_(judge),
      cancel_(cancel),
      what_("migrate VM " + vm.str() + " to " + way.destination_uri) {}

template <class Call>
auto Move::ask(const CallName& name, milliseconds patience, Call call) {
    return lines_.calls.run(name, patience, [owned = lines_.owned, vm = vm_, what = what_, call](Session& session) {
        const SharedDomain domain = session.domain(vm);
        owned->require(domain.get(), what);
        return call(domain.get(), what);
    });
}

Move::Look Move::look() {
    try {
        return ask({"look at the move", vm_}, look_patience, [](virDomainPtr domain, const std::string& what) {
            Look seen;
            seen.active = checked(virDomainIsActive(domain), what) == 1;
            checked(virDomainGetState(domain, &seen.state, &seen.reason, 0), what);
            if (seen.active) seen.job = job_now(domain, what);
            return seen;
        });
    } catch (const Error& error) {
        if (error.code() != Code::not_found) throw;
        Look seen;
        seen.found = false;
        return seen;
    }
}

MigrationResult Move::run() {
    cancel_.check();
    const Look found = look();
    if (!found.found || !found.active)
        throw Error(Code::vm_wrong_state, what_ + ": the VM is off; it must run or be paused");
    if (found.job.kind == JobNow::Kind::moves_in) throw Error(Code::vm_wrong_state, what_ + ": the VM is just arriving");
    if (found.job.kind == JobNow::Kind::other)
        throw Error(Code::operation_failed, what_ + ": libvirt is at work on another job of this VM");
    adopted_ = found.job.kind == JobNow::Kind::moves_out;
    const DomainListener events = listen_to_move(DomainCalls(lines_.calls, lines_.calls, lines_.owned, {}), vm_, state_);
    const Cancellation::Subscription wake(cancel_, [state = state_] { state->wake(); });
    if (adopted_) {
        before_ = found.job.sight.elapsed;
        log::info("a move that goes on already is followed", {{"vm", vm_.str()}, {"ran_ms", before_.count()}});
    } else {
        begin();
    }
    follow();
    return result();
}

void Move::begin() {
    const PreparedMove move =
        ask({"prepare the move", vm_}, prepare_patience,
            [way = way_](virDomainPtr domain, const std::string& what) { return prepare_move(domain, way, what); });
    cancel_.check();
    lines_.movers.submit([source = lines_.source, state = state_, vm = vm_, move, what = what_] {
        try {
            const Connect connection = source->open();
            const Domain domain(checked(virDomainLookupByUUIDString(connection.get(), with_dashes(vm.str()).c_str()), what));
            call_move(domain.get(), move, what);
            state->end(nullptr);
        } catch (const Error&) {
            state->end(std::current_exception());
        } catch (...) {
            state->end(std::make_exception_ptr(current_error()));
        }
    });
}

void Move::follow() {
    while (!is_over()) {
        state_->wait(look_again);
        if (is_over()) return;
        if (cancel_.wanted() && hears_cancel())
            return end_early(Error(Code::job_cancelled, std::string(to_text(cancel_.reason()))));
        look_on();
        if (is_over()) return;
        sight_.elapsed = before_ + since(began_);
        sight_.iteration = std::max(sight_.iteration, state_->iteration());
        sight_.new_iteration = sight_.iteration > shown_iteration_;
        shown_iteration_ = std::max(shown_iteration_, sight_.iteration);
        const MigrationOrder order = judge_.judge(sight_);
        if (order.what == MigrationOrder::What::abort) return end_early(Error(Code::vm_migrate, order.reason));
        obey(order);
    }
}

bool Move::is_over() {
    return adopted_ ? end_ != End::none : state_->has_ended();
}

void Move::look_on() {
    try {
        const Look seen = look();
        if (seen.found) missing_since_.reset();
        if (seen.found && seen.job.kind == JobNow::Kind::moves_out) return take(seen);
        if (adopted_) judge_traces(seen);
    } catch (const Error& error) {
        // The call itself will say so; of an adopted move nobody else does.
        if (adopted_ && error.code() == Code::host_connection) throw;
        log::debug("a move could not be looked at", {{"vm", vm_.str()}, {"error", error.details()}});
    }
    if (sight_.phase == MigrationPhase::post_copy && now() - stuck_since_ > longest_standstill)
        throw Error(Code::timeout, what_ + ": its memory is on both hosts, and none has arrived for a minute");
}

void Move::conclude(End end, const std::string& text) {
    end_ = end;
    end_text_ = text;
}

void Move::judge_traces(const Look& seen) {
    if (!seen.found) {  // libvirt removed the definition: the last thing it does
        if (!missing_since_) missing_since_ = now();
        if (state_->figures() || since(*missing_since_) > missing_patience) conclude(End::moved, "");
        return;
    }
    const StateAndReason shown = state_of(seen.state, seen.reason);
    if (seen.active) return conclude(End::failed, "the move ended early; the VM is still here: " + shown.reason);
    if (seen.state == VIR_DOMAIN_SHUTOFF && seen.reason == VIR_DOMAIN_SHUTOFF_MIGRATED) return conclude(End::moved, "");
    conclude(End::failed, "the VM went off during the move: " + shown.reason);
}

void Move::take(const Look& seen) {
    const Bytes disk_total = std::max(sight_.disk_total, seen.job.sight.disk_total);
    const Bytes disk_done = std::max(sight_.disk_done, seen.job.sight.disk_done);
    sight_ = seen.job.sight;
    // libvirt forgets the disks once it sends the memory.
    sight_.disk_total = disk_total;
    sight_.disk_done = disk_done;
    if (adopted_ && seen.state == VIR_DOMAIN_PAUSED && seen.reason == VIR_DOMAIN_PAUSED_POSTCOPY_FAILED)
        return conclude(End::failed, "the move broke while the memory was on both hosts");
    if (is_post_copy(seen.state, seen.reason)) {
        sight_.phase = MigrationPhase::post_copy;
        post_copied_ = true;
        if (sight_.memory_remaining != stuck_at_) {
            stuck_at_ = sight_.memory_remaining;
            stuck_since_ = now();
        }
    }
    if (sight_.phase == MigrationPhase::copying_memory) share_bandwidth();
}

void Move::share_bandwidth() {
    if (std::exchange(shared_, true) || way_.bandwidth == 0 || way_.copied.empty()) return;
    order("limit the memory's stream", set_speed, memory_limit(way_.bandwidth, way_.copied.size()));
}

bool Move::hears_cancel() {
    if (cancel_.reason() == CancelReason::stopping)
        throw Error(Code::job_cancelled, what_ + ": " + std::string(to_text(cancel_.reason())) + "; the move goes on");
    if (sight_.phase != MigrationPhase::post_copy) return true;
    if (!std::exchange(told_deaf_, true))
        log::warning("a move in post-copy cannot be cancelled: it goes on", {{"vm", vm_.str()}});
    return false;
}

// Whether libvirt obeyed. It may not: the move can be over, or not so far, when the order arrives.
bool Move::order(const std::string& what, int (*call)(virDomainPtr, unsigned long long), unsigned long long value) {
    try {
        ask({what, vm_, true}, order_patience,
            [call, value](virDomainPtr domain, const std::string& why) { checked(call(domain, value), why); });
        return true;
    } catch (const Error& error) {
        if (!is_over())
            log::info("a move could not be changed", {{"vm", vm_.str()}, {"order", what}, {"error", error.details()}});
        return false;
    }
}

void Move::obey(const MigrationOrder& wanted) {
    using What = MigrationOrder::What;
    if (wanted.what == What::go_on) return;
    if (wanted.what == What::set_max_downtime) {
        order("set the longest downtime", set_downtime, static_cast<unsigned long long>(wanted.max_downtime.count()));
        return;
    }
    log::info("a move does not converge by itself", {{"vm", vm_.str()}, {"reason", wanted.reason}});
    if (wanted.what == What::start_post_copy && order("start post-copy", start_post_copy)) {
        post_copied_ = true;
        stuck_since_ = now();
    }
    if (wanted.what == What::pause_guest && order("pause the guest", pause)) paused_ = true;
}

// The order may come before libvirt has begun, so it is repeated.
void Move::end_early(const Error& reason) {
    const Moment deadline = now() + abort_patience;
    const Moment cut = now() + cut_after;
    while (!is_over()) {
        if (now() > deadline)
            throw Error(Code::timeout,
                        what_ + ": libvirt did not end the move within " + std::to_string(abort_patience.count() / 1000) +
                            " s, and its outcome is unknown",
                        reason);
        order("abort the move", abort);
        // A destination that went away without a word leaves QEMU waiting for the answer to a write.
        if (now() > cut && sight_.phase == MigrationPhase::copying_disks) order("cut the disks' streams", cut_streams);
        state_->wait(abort_again);
        if (adopted_ && !is_over()) look_on();
    }
    if (adopted_) {
        if (end_ == End::failed) throw reason;
        return;
    }
    try {
        state_->rethrow();
    } catch (const Error& error) {
        if (error.code() == Code::host_connection) throw;
        throw Error(reason.code(), reason.details(), error);
    }
}

MigrationResult Move::result() {
    if (!adopted_) state_->rethrow();
    if (end_ == End::failed) throw Error(Code::operation_failed, what_ + ": " + end_text_);
    MigrationResult made = state_->wait_for_figures(figures_patience).value_or(MigrationResult{});
    if (made.total.count() == 0) made.total = before_ + since(began_);
    made.iterations = std::max(made.iterations, shown_iteration_);
    if (made.transferred < sight_.disk_done + sight_.memory_done) made.transferred = sight_.disk_done + sight_.memory_done;
    made.post_copied = post_copied_;
    made.paused_to_converge = paused_;
    return made;
}

}  // namespace hvagent::libvirt
