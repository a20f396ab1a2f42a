#include "drivers/libvirt/event_loop.h"

#include <libvirt/libvirt.h>
#include <pthread.h>

#include <atomic>
#include <mutex>

#include "drivers/libvirt/libvirt_error.h"

namespace hvagent::libvirt {

struct EventLoop::Wish {
    std::atomic<bool> end{false};
};

namespace {

// As global as the loop inside libvirt is.
std::mutex running_mutex;
std::weak_ptr<EventLoop> running;
// virEventRunDefaultImpl must not run in two threads: a new loop's thread waits here until the old one has ended.
std::mutex loop_turn;

void register_once() {
    static std::once_flag once;
    std::call_once(once, [] {
        silence_error_output();
        if (virEventRegisterDefaultImpl() < 0) throw_last_error("register libvirt's event loop");
        if (virInitialize() < 0) throw_last_error("initialise libvirt");
    });
}

}  // namespace

std::shared_ptr<EventLoop> EventLoop::acquire() {
    register_once();
    std::lock_guard lock(running_mutex);
    std::shared_ptr<EventLoop> loop = running.lock();
    if (!loop) {
        loop.reset(new EventLoop());
        running = loop;
    }
    return loop;
}

void EventLoop::call(std::function<void()> work) {
    std::unique_lock lock(running_mutex);
    if (running.expired()) {
        lock.unlock();
        return work();
    }
    using Work = std::function<void()>;
    const auto run = [](int timer, void* opaque) {
        (*static_cast<Work*>(opaque))();
        virEventRemoveTimeout(timer);
    };
    auto* owned = new Work(std::move(work));
    if (virEventAddTimeout(0, run, owned, [](void* opaque) { delete static_cast<Work*>(opaque); }) < 0) delete owned;
}

EventLoop::EventLoop() : wish_(std::make_shared<Wish>()) {
    thread_ = std::thread([wish = wish_] {
        pthread_setname_np(pthread_self(), "libvirt-events");
        std::lock_guard turn(loop_turn);
        while (!wish->end.load(std::memory_order_acquire)) virEventRunDefaultImpl();
    });
}

EventLoop::~EventLoop() {
    // The timer wakes the poll; its owner is freed with the last of the two.
    auto* wish = new std::shared_ptr<Wish>(wish_);
    virEventAddTimeout(
        0,
        [](int timer, void* opaque) {
            static_cast<std::shared_ptr<Wish>*>(opaque)->get()->end.store(true, std::memory_order_release);
            virEventRemoveTimeout(timer);
        },
        wish, [](void* opaque) { delete static_cast<std::shared_ptr<Wish>*>(opaque); });
    if (thread_.get_id() == std::this_thread::get_id())
        thread_.detach();
    else
        thread_.join();
}

}  // namespace hvagent::libvirt
