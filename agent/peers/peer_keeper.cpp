#include "agent/peers/peer_keeper.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "agent/peers/peer_facts.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::peers {
namespace {

constexpr std::size_t most_threads = 4;
constexpr int misses_until_disconnected = 2;

}  // namespace

void PeerKeeper::on_peer_change(Listener listener) {
    listeners_.push_back(std::move(listener));
}

void PeerKeeper::start() {
    const std::vector<Peer> known = inventory_.list<Peer>();
    for (const Peer& peer : known)
        inventory_.observe<Host>(peer.uuid, [](Host& host) { host.status = ConnectionStatus::connecting; });
    const std::lock_guard lock(mutex_);
    is_running_ = true;
    for (const Peer& peer : known) want(peer.uuid);
}

void PeerKeeper::stop() {
    std::vector<std::thread> threads;
    {
        const std::lock_guard lock(mutex_);
        is_running_ = false;
        threads.swap(threads_);
    }
    changed_.notify_all();
    for (std::thread& thread : threads) thread.join();
}

void PeerKeeper::look_soon(const HostId& peer) {
    const std::lock_guard lock(mutex_);
    want(peer);
}

void PeerKeeper::expect(const HostId& peer) {
    const std::lock_guard lock(mutex_);
    if (!watches_.contains(peer)) want(peer, settings_.heartbeat);
}

void PeerKeeper::heard(const HostId& peer) {
    const std::lock_guard lock(mutex_);
    const auto found = watches_.find(peer);
    if (found != watches_.end() && found->second.answers.value_or(false) && found->second.misses == 0) return;
    want(peer);
}

void PeerKeeper::want(const HostId& peer, milliseconds delay) {
    if (!is_running_) return;
    Watch& watch = watches_[peer];
    watch.due = clock_.moment() + delay;
    watch.again = watch.is_busy;
    if (threads_.size() < std::min(most_threads, watches_.size()))
        threads_.emplace_back([this] {
            pthread_setname_np(pthread_self(), "peers");
            work();
        });
    changed_.notify_one();
}

void PeerKeeper::work() {
    std::unique_lock lock(mutex_);
    while (is_running_) {
        auto next = watches_.end();
        for (auto one = watches_.begin(); one != watches_.end(); ++one)
            if (!one->second.is_busy && (next == watches_.end() || one->second.due < next->second.due)) next = one;
        if (next == watches_.end()) {
            changed_.wait(lock);
        } else if (const auto early = next->second.due - clock_.moment(); early > Moment::duration::zero()) {
            changed_.wait_for(lock, early);
        } else {
            serve(next->first, lock);
        }
    }
}

void PeerKeeper::serve(const HostId& id, std::unique_lock<std::mutex>& lock) {
    const HostId peer = id;  // the key may go
    watches_[peer].is_busy = true;
    lock.unlock();
    const Look seen = look(peer);
    lock.lock();
    Watch& watch = watches_[peer];
    if (seen.is_gone) {
        watches_.erase(peer);
        return;
    }
    const std::optional<bool> before = watch.answers;
    watch.misses = seen.answered ? 0 : watch.misses + 1;
    if (seen.answered)
        watch.answers = true;
    else if (seen.refused || watch.misses >= misses_until_disconnected)
        watch.answers = false;
    if (watch.answers != before) {
        lock.unlock();
        tell(peer, seen.answered, seen.why);
        lock.lock();
    }
    const bool is_lost = watch.answers.has_value() && !*watch.answers;
    watch.delay =
        is_lost ? std::min(std::max(watch.delay * 2, settings_.heartbeat), settings_.longest_delay) : settings_.heartbeat;
    watch.is_busy = false;
    watch.due = clock_.moment() + (std::exchange(watch.again, false) ? milliseconds(0) : watch.delay);
    changed_.notify_one();
}

PeerKeeper::Look PeerKeeper::look(const HostId& peer) {
    Look seen;
    try {
        if (!inventory_.find<Peer>(peer)) return {true, false, false, ""};
        write_facts(inventory_, parse_facts(peers_.ask(peer, "facts", json::object(), settings_.patience), peer),
                    clock_.now());
        seen.answered = true;
    } catch (...) {
        const Error error = current_error();
        seen.refused = error.code() == Code::authentication_failed;
        seen.why = error.details();
    }
    return seen;
}

void PeerKeeper::tell(const HostId& peer, bool connected, const std::string& why) {
    try {
        if (connected) {
            log::info("a peer answers", {{"peer", peer.str()}});
        } else {
            log::warning("a peer does not answer", {{"peer", peer.str()}, {"reason", why}});
            write_failure(inventory_, peer, why);
        }
        for (const Listener& listener : listeners_) listener(peer, connected, why);
    } catch (...) {
        log::error("what changed at a peer was not taken in", {{"peer", peer.str()}, {"error", current_error().details()}});
    }
}

}  // namespace hvagent::peers
