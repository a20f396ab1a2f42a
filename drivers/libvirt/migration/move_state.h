// What is known of one move while it goes on, shared by the thread that waits in libvirt's call, libvirt's events, and the
// one that follows it.
#pragma once
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>

#include "hvagent/clock.h"
#include "hvagent/drivers/vm_migration.h"

namespace hvagent::libvirt {

// Thread-safe.
class MoveState {
public:
    // libvirt's call has returned; null: it calls the VM moved.
    void end(std::exception_ptr error);
    void begin_iteration(int number);
    // What libvirt counted, once it is over.
    void complete(const MigrationResult& counted);
    void wake();

    // Until something happened since the last wait, or `longest` has passed.
    void wait(milliseconds longest);
    // Until libvirt's figures are there; nullopt: they did not come.
    std::optional<MigrationResult> wait_for_figures(milliseconds longest);
    std::optional<MigrationResult> figures() const;
    bool has_ended() const;
    void rethrow() const;
    int iteration() const;

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool happened_ = false;
    bool ended_ = false;
    std::exception_ptr error_;
    int iteration_ = 0;
    std::optional<MigrationResult> figures_;
};

}  // namespace hvagent::libvirt
