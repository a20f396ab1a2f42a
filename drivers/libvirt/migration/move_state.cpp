#include "drivers/libvirt/migration/move_state.h"

#include <algorithm>

namespace hvagent::libvirt {

void MoveState::end(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    error_ = std::move(error);
    happened_ = true;
    changed_.notify_all();
}

void MoveState::begin_iteration(int number) {
    const std::lock_guard lock(mutex_);
    iteration_ = std::max(iteration_, number);
    happened_ = true;
    changed_.notify_all();
}

void MoveState::complete(const MigrationResult& counted) {
    const std::lock_guard lock(mutex_);
    figures_ = counted;
    happened_ = true;
    changed_.notify_all();
}

void MoveState::wake() {
    const std::lock_guard lock(mutex_);
    happened_ = true;
    changed_.notify_all();
}

void MoveState::wait(milliseconds longest) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, longest, [&] { return happened_; });
    happened_ = false;
}

std::optional<MigrationResult> MoveState::wait_for_figures(milliseconds longest) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, longest, [&] { return figures_.has_value(); });
    return figures_;
}

std::optional<MigrationResult> MoveState::figures() const {
    const std::lock_guard lock(mutex_);
    return figures_;
}

bool MoveState::has_ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
}

void MoveState::rethrow() const {
    const std::lock_guard lock(mutex_);
    if (error_) std::rethrow_exception(error_);
}

int MoveState::iteration() const {
    const std::lock_guard lock(mutex_);
    return iteration_;
}

}  // namespace hvagent::libvirt
