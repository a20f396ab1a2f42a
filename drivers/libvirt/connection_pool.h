// The connections a CallRunner spreads its calls over.
#pragma once
#include <condition_variable>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "drivers/libvirt/call_runner.h"

namespace hvagent::libvirt {

class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
public:
    ConnectionPool(std::shared_ptr<ConnectionSource> source, CallLimits limits)
        : source_(std::move(source)), limits_(limits) {}

    struct Member;  // one connection and the calls on it
    // The right to one call on a connection; given back on destruction.
    class Lease {
    public:
        Lease(std::shared_ptr<ConnectionPool> pool, std::shared_ptr<Member> member);
        ~Lease();
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        Session& session();

    private:
        std::shared_ptr<ConnectionPool> pool_;
        std::shared_ptr<Member> member_;
        Moment since_;
    };

    // Opens a connection where needed; waits for a free one, and for a lost libvirtd, until `deadline` at most.
    std::unique_ptr<Lease> lease(Moment deadline);
    // Closes connections without calls, all but one.
    void close_idle();
    // No more leases; connections close with their last call.
    void close();
    int size() const;

private:
    friend class Lease;
    std::shared_ptr<Member> choose(std::unique_lock<std::mutex>& lock, Moment deadline, bool& must_open);
    void open(Member& member, Moment deadline);
    void release(const std::shared_ptr<Member>& member, Moment since);

    const std::shared_ptr<ConnectionSource> source_;
    const CallLimits limits_;
    mutable std::mutex mutex_;
    std::condition_variable freed_;
    std::list<std::shared_ptr<Member>> members_;
    bool closed_ = false;
};

}  // namespace hvagent::libvirt
