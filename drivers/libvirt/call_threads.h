// Threads that exist only while calls run: as many as are needed up to a bound, none when idle.
#pragma once
#include <functional>
#include <memory>

#include "hvagent/clock.h"

namespace hvagent::libvirt {

// Thread-safe. A call may never return (libvirt hangs), so threads are not joined: what runs must own all it touches.
class CallThreads {
public:
    CallThreads(int most, milliseconds idle_life = milliseconds(5000));
    // Waits up to two seconds for what was submitted; calls still stuck keep their thread until they return.
    ~CallThreads();
    CallThreads(const CallThreads&) = delete;
    CallThreads& operator=(const CallThreads&) = delete;

    // Runs `call` on a thread, in order of arrival when all are busy. It must not throw.
    void submit(std::function<void()> call);
    // Called from the last thread when it ends for lack of work. Set before the first submit().
    void when_idle(std::function<void()> hook);
    int threads() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace hvagent::libvirt
