// Calls to libvirt with a deadline seen from outside. libvirt itself has none: a call about a VM whose QEMU is frozen
// returns when that QEMU does. So calls run on threads and connections that can be spared, and the caller leaves at the
// deadline.
#pragma once
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>

#include "drivers/libvirt/call_observer.h"
#include "drivers/libvirt/call_threads.h"
#include "drivers/libvirt/connection_source.h"
#include "hvagent/clock.h"
#include "hvagent/ids.h"

namespace hvagent::libvirt {

class ConnectionPool;

// A connection as one call sees it.
class Session {
public:
    virtual ~Session() = default;
    virtual virConnectPtr connection() = 0;
    // Kept per connection: a virDomainPtr is only a name, and looking it up costs a round trip. Error(not_found).
    virtual SharedDomain domain(const VmId& vm) = 0;
};

struct CallName {
    std::string what;           // "suspend"
    VmId vm;                    // empty: about no VM
    bool may_overtake = false;  // run although an earlier call on the VM still hangs (destroy: the way out of the hang)
    bool only_reads = false;    // tried again on a new connection when its own broke
};

struct CallLimits {
    int connections = 8;
    // libvirtd serves 5 requests of a client at a time; the fifth stays free, so that it is never the daemon that makes us
    // wait.
    int calls_per_connection = 4;
    // A libvirtd that restarts is waited for this long before a call is refused.
    milliseconds connect_wait{3000};
};

// One call: started by the runner, ended by its thread, or left by the caller.
class CallState {
public:
    // False when the deadline passed.
    bool wait_until(Moment deadline);
    // Leaves the call to itself; false when it has ended meanwhile.
    bool leave();
    // Returns whether the caller has left.
    bool end(std::exception_ptr error);
    // Whether the call may begin; false when its caller has left.
    bool begin();
    bool begun() const;
    void rethrow();

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool begun_ = false, ended_ = false, left_ = false;
    std::exception_ptr error_;
};

// Thread-safe.
class CallRunner {
public:
    // Adds to a timeout's text what is known about the VM ("QEMU does not answer since 31 s"); empty: nothing.
    using Diagnosis = std::function<std::string(const VmId&)>;

    CallRunner(std::shared_ptr<ConnectionSource> source, CallLimits limits);
    ~CallRunner();
    void diagnose_with(Diagnosis diagnosis) { diagnosis_ = std::move(diagnosis); }
    // Before the first call.
    void observe_with(CallObserver observer) { observer_ = std::move(observer); }

    // Runs `work(Session&)` and returns its result. `work` may outlive the caller: it captures by value.
    // Error(timeout) at the deadline, Error(host_connection), and whatever `work` throws.
    template <class Work>
    auto run(const CallName& name, milliseconds timeout, Work work) {
        using Result = std::invoke_result_t<Work&, Session&>;
        if constexpr (std::is_void_v<Result>) {
            run_call(name, timeout, std::move(work));
        } else {
            auto result = std::make_shared<std::optional<Result>>();
            run_call(name, timeout, [result, work = std::move(work)](Session& session) mutable { *result = work(session); });
            return std::move(**result);
        }
    }

    // Runs what nobody waits for and what may hang; it must not throw.
    void in_background(std::function<void()> work) { threads_.submit(std::move(work)); }

    int connections() const;
    int threads() const { return threads_.threads(); }

private:
    struct Abandoned;
    void run_call(const CallName& name, milliseconds timeout, std::function<void(Session&)> work);
    void run_unobserved(const CallName& name, milliseconds timeout, std::function<void(Session&)> work);
    static void try_call(ConnectionPool& pool, const CallName& name, Moment deadline, CallState& call,
                         const std::function<void(Session&)>& work);
    [[noreturn]] void give_up(const CallName& name, milliseconds timeout, bool begun);

    const std::shared_ptr<ConnectionPool> pool_;
    const std::shared_ptr<Abandoned> abandoned_;
    CallThreads threads_;
    Diagnosis diagnosis_;
    CallObserver observer_;
};

}  // namespace hvagent::libvirt
