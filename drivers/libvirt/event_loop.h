// libvirt's event loop: one per process, as libvirt's API demands, in one thread while anybody needs it.
#pragma once
#include <functional>
#include <memory>
#include <thread>

namespace hvagent::libvirt {

// Connections need it for keepalive, close callbacks and events: hold one before opening and until after closing.
class EventLoop {
public:
    // The loop that runs now, or a new one. Safe from any thread.
    static std::shared_ptr<EventLoop> acquire();
    // Calls `work` once on the loop's thread, or at once when no loop runs. It must not block or throw.
    static void call(std::function<void()> work);
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

private:
    EventLoop();
    struct Wish;
    std::shared_ptr<Wish> wish_;
    std::thread thread_;
};

}  // namespace hvagent::libvirt
