#include "drivers/libvirt/call_runner.h"

#include <map>
#include <utility>

#include "drivers/libvirt/connection_pool.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {

bool CallState::wait_until(Moment deadline) {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, deadline, [&] { return ended_; });
}

bool CallState::leave() {
    std::lock_guard lock(mutex_);
    left_ = !ended_;
    return left_;
}

bool CallState::end(std::exception_ptr error) {
    std::lock_guard lock(mutex_);
    ended_ = true;
    error_ = std::move(error);
    changed_.notify_all();
    return left_;
}

bool CallState::begin() {
    std::lock_guard lock(mutex_);
    begun_ = !left_;
    return begun_;
}

bool CallState::begun() const {
    std::lock_guard lock(mutex_);
    return begun_;
}

void CallState::rethrow() {
    std::unique_lock lock(mutex_);
    const std::exception_ptr error = std::exchange(error_, nullptr);  // from here on it belongs to this thread
    lock.unlock();
    if (error) std::rethrow_exception(error);
}

// Calls that passed their deadline and still run, by VM. libvirtd has few workers: a VM that already holds one gets no more.
struct CallRunner::Abandoned {
    struct Call {
        std::string what;
        Moment since;
    };
    std::mutex mutex;
    std::multimap<VmId, Call> calls;
};

CallRunner::CallRunner(std::shared_ptr<ConnectionSource> source, CallLimits limits)
    : pool_(std::make_shared<ConnectionPool>(std::move(source), limits)),
      abandoned_(std::make_shared<Abandoned>()),
      threads_(limits.connections * limits.calls_per_connection) {
    threads_.when_idle([pool = std::weak_ptr(pool_)] {
        if (auto alive = pool.lock()) alive->close_idle();
    });
}

CallRunner::~CallRunner() {
    // Closing a connection asks libvirt too, and hangs with it.
    threads_.submit([pool = pool_] { pool->close(); });
}

int CallRunner::connections() const {
    return pool_->size();
}

namespace {

long long seconds_since(Moment begin) {
    return std::chrono::duration_cast<seconds>(std::chrono::steady_clock::now() - begin).count();
}

std::string about(const VmId& vm) {
    return vm.empty() ? "" : " of VM " + vm.str();
}

}  // namespace

void CallRunner::run_call(const CallName& name, milliseconds timeout, std::function<void(Session&)> work) {
    if (!observer_) return run_unobserved(name, timeout, std::move(work));
    const Moment begin = std::chrono::steady_clock::now();
    const auto tell = [&](CallEnd end) {
        const auto took = std::chrono::steady_clock::now() - begin;
        observer_(kind_of_call(name.what), end, std::chrono::duration_cast<std::chrono::microseconds>(took));
    };
    try {
        run_unobserved(name, timeout, std::move(work));
    } catch (const Error& error) {
        tell(error.code() == Code::timeout ? CallEnd::timed_out : CallEnd::failed);
        throw;
    }
    tell(CallEnd::done);
}

void CallRunner::run_unobserved(const CallName& name, milliseconds timeout, std::function<void(Session&)> work) {
    const Moment begin = std::chrono::steady_clock::now();
    const Moment deadline = begin + timeout;
    if (!name.vm.empty() && !name.may_overtake) {
        std::lock_guard lock(abandoned_->mutex);
        if (auto hung = abandoned_->calls.find(name.vm); hung != abandoned_->calls.end())
            throw Error(Code::timeout, name.what + about(name.vm) + " was not tried: libvirt has not answered the call \"" +
                                           hung->second.what + "\" about this VM for " +
                                           std::to_string(seconds_since(hung->second.since)) + " s");
    }
    auto call = std::make_shared<CallState>();
    threads_.submit([=, pool = pool_, abandoned = abandoned_, work = std::move(work)]() mutable {
        std::exception_ptr error;
        try {
            try_call(*pool, name, deadline, *call, work);
        } catch (const Error&) {
            error = std::current_exception();
        } catch (...) {
            error = std::make_exception_ptr(current_error());
        }
        work = nullptr;
        const bool failed = error != nullptr;
        if (!call->end(std::move(error))) return;
        log::warning("libvirt answered a call after its deadline", {{"call", name.what},
                                                                    {"vm", name.vm.str()},
                                                                    {"took_s", seconds_since(begin)},
                                                                    {"failed", failed ? "yes" : "no"}});
        std::lock_guard lock(abandoned->mutex);
        if (auto entry = abandoned->calls.find(name.vm); entry != abandoned->calls.end()) abandoned->calls.erase(entry);
    });
    if (call->wait_until(deadline)) return call->rethrow();
    {
        std::lock_guard lock(abandoned_->mutex);  // taken first: the call's end must find its entry
        if (!call->leave()) return call->rethrow();
        abandoned_->calls.emplace(name.vm, Abandoned::Call{name.what, begin});
    }
    give_up(name, timeout, call->begun());
}

// On a thread of the runner.
void CallRunner::try_call(ConnectionPool& pool, const CallName& name, Moment deadline, CallState& call,
                          const std::function<void(Session&)>& work) {
    for (bool again : {name.only_reads, false}) {
        auto lease = pool.lease(deadline);
        if (!call.begin()) return;
        try {
            return work(lease->session());
        } catch (const Error& error) {
            if (error.code() != Code::host_connection) throw;
            if (!again)
                throw Error(Code::host_connection, error.details() + "; the connection broke during the call" +
                                                       (name.only_reads ? "" : ", whose outcome is unknown"));
        }
    }
}

void CallRunner::give_up(const CallName& name, milliseconds timeout, bool begun) {
    std::string text = name.what + about(name.vm) + ": libvirt did not answer within " +
                       std::to_string(timeout.count() / 1000.0).substr(0, 5) + " s; ";
    text += begun ? "the call goes on and its outcome is unknown" : "the call was not sent";
    if (begun && diagnosis_ && !name.vm.empty()) {
        const std::string known = diagnosis_(name.vm);
        if (!known.empty()) text += "; " + known;
    }
    throw Error(Code::timeout, text);
}

}  // namespace hvagent::libvirt
