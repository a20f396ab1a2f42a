#include "drivers/libvirt/connection_pool.h"

#include <algorithm>
#include <set>
#include <thread>

namespace hvagent::libvirt {
namespace {

// A connection whose oldest call is older than this may carry a stuck one: others are preferred. (A GetState beside a
// stuck call was seen to take 5 s, libvirt 9.0.)
constexpr milliseconds late_call(400);
constexpr std::size_t most_cached_domains = 1024;

}  // namespace

struct ConnectionPool::Member : Session {
    virConnectPtr connection() override { return handle.get(); }
    SharedDomain domain(const VmId& vm) override;
    bool alive() const { return handle && virConnectIsAlive(handle.get()) == 1; }
    bool is_late(Moment now) const { return !began.empty() && now - *began.begin() > late_call; }

    Connect handle;               // set once, before the first call
    bool opening = true;          // guarded by the pool's mutex, as is `began`
    std::multiset<Moment> began;  // one per running call

    std::mutex domains_mutex;
    std::unordered_map<VmId, SharedDomain> domains;
};

SharedDomain ConnectionPool::Member::domain(const VmId& vm) {
    {
        std::lock_guard lock(domains_mutex);
        if (auto found = domains.find(vm); found != domains.end()) return found->second;
    }
    const std::string uuid = with_dashes(vm.str());
    SharedDomain found(checked(virDomainLookupByUUIDString(handle.get(), uuid.c_str()), "find VM " + vm.str()),
                       virDomainFree);
    std::lock_guard lock(domains_mutex);
    if (domains.size() >= most_cached_domains) domains.clear();
    domains[vm] = found;
    return found;
}

ConnectionPool::Lease::Lease(std::shared_ptr<ConnectionPool> pool, std::shared_ptr<Member> member)
    : pool_(std::move(pool)), member_(std::move(member)), since_(*member_->began.rbegin()) {}

ConnectionPool::Lease::~Lease() {
    pool_->release(member_, since_);
}

Session& ConnectionPool::Lease::session() {
    return *member_;
}

// With the mutex held; waits while every connection is full and no more may be opened.
std::shared_ptr<ConnectionPool::Member> ConnectionPool::choose(std::unique_lock<std::mutex>& lock, Moment deadline,
                                                               bool& must_open) {
    const std::size_t most = static_cast<std::size_t>(limits_.connections);
    while (true) {
        if (closed_) throw Error(Code::host_connection, "the connection to libvirt is being closed");
        members_.remove_if([](const auto& m) { return !m->opening && !m->alive(); });
        const Moment now = std::chrono::steady_clock::now();
        std::shared_ptr<Member> best;
        const auto rank = [now](const Member& m) { return std::pair(m.is_late(now), m.began.size()); };
        for (const auto& member : members_) {
            if (member->opening || member->began.size() >= static_cast<std::size_t>(limits_.calls_per_connection)) continue;
            if (!best || rank(*member) < rank(*best)) best = member;
        }
        must_open = (!best || best->is_late(now)) && members_.size() < most;
        if (must_open) {
            best = std::make_shared<Member>();
            members_.push_back(best);
        }
        if (best) {
            best->began.insert(now);
            return best;
        }
        if (freed_.wait_until(lock, deadline) == std::cv_status::timeout)
            throw Error(Code::timeout, "no connection to libvirt came free: " + std::to_string(members_.size()) +
                                           " are busy with calls that libvirt has not answered");
    }
}

std::unique_ptr<ConnectionPool::Lease> ConnectionPool::lease(Moment deadline) {
    std::unique_lock lock(mutex_);
    bool must_open = false;
    auto member = choose(lock, deadline, must_open);
    auto lease = std::make_unique<Lease>(shared_from_this(), member);
    lock.unlock();
    if (must_open) open(*member, deadline);  // on failure the lease's end removes the member
    return lease;
}

void ConnectionPool::open(Member& member, Moment deadline) {
    const Moment until = std::min(deadline, std::chrono::steady_clock::now() + limits_.connect_wait);
    for (milliseconds pause(20);; pause = std::min(pause * 2, milliseconds(200))) {
        try {
            Connect handle = source_->open();
            std::lock_guard lock(mutex_);
            member.handle = std::move(handle);
            member.opening = false;
            freed_.notify_all();
            return;
        } catch (const Error&) {
            if (std::chrono::steady_clock::now() + pause > until) throw;
        }
        std::this_thread::sleep_for(pause);
    }
}

void ConnectionPool::release(const std::shared_ptr<Member>& member, Moment since) {
    std::shared_ptr<Member> dropped;  // its connection closes after the mutex is free
    std::lock_guard lock(mutex_);
    if (auto found = member->began.find(since); found != member->began.end()) member->began.erase(found);
    if (member->opening || closed_ || !member->alive()) {
        dropped = member;
        members_.remove(member);
    }
    freed_.notify_one();
}

void ConnectionPool::close_idle() {
    std::list<std::shared_ptr<Member>> dropped;
    std::lock_guard lock(mutex_);
    for (auto it = members_.begin(); it != members_.end() && members_.size() > 1;) {
        auto here = it++;
        if ((*here)->began.empty()) dropped.splice(dropped.end(), members_, here);
    }
}

void ConnectionPool::close() {
    std::list<std::shared_ptr<Member>> dropped;
    std::lock_guard lock(mutex_);
    closed_ = true;
    for (auto it = members_.begin(); it != members_.end();) {
        auto here = it++;
        if ((*here)->began.empty()) dropped.splice(dropped.end(), members_, here);
    }
    freed_.notify_all();
}

int ConnectionPool::size() const {
    std::lock_guard lock(mutex_);
    return static_cast<int>(members_.size());
}

}  // namespace hvagent::libvirt
