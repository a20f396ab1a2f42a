#include "agent/identity/login_guard.h"

#include <algorithm>

#include "hvagent/error.h"

namespace hvagent::identity {
namespace {

constexpr int free_attempts = 5;
constexpr seconds longest_wait{300};
constexpr std::chrono::minutes memory{15};  // failures older than this are forgotten
constexpr std::size_t most_remembered = 10000;

std::string key_of(const std::string& account, const std::string& address) {
    return address + " " + account.substr(0, 64);
}

}  // namespace

void LoginGuard::attempt(const std::string& account, const std::string& address) {
    const Moment now = clock_.moment();
    const std::lock_guard lock(mutex_);
    forget_old(now);
    Failures& failures = failures_[key_of(account, address)];
    if (now - failures.last > memory) failures = {};
    if (now < failures.refused_until) {
        const auto wait = std::chrono::ceil<seconds>(failures.refused_until - now).count();
        throw Error(Code::login_refused, std::to_string(failures.in_a_row) + " wrong passwords in a row; try again in " +
                                             std::to_string(wait) + " s");
    }
    failures.last = now;
    if (++failures.in_a_row >= free_attempts)
        failures.refused_until =
            now + std::min(longest_wait, seconds(1) * (1 << std::min(failures.in_a_row - free_attempts, 20)));
}

void LoginGuard::succeeded(const std::string& account, const std::string& address) {
    const std::lock_guard lock(mutex_);
    failures_.erase(key_of(account, address));
}

void LoginGuard::forget_old(Moment now) {
    if (failures_.size() < most_remembered) return;
    std::erase_if(failures_, [now](const auto& entry) { return now - entry.second.last > memory; });
    if (failures_.size() < most_remembered) return;
    const auto oldest = std::min_element(failures_.begin(), failures_.end(), [](const auto& left, const auto& right) {
        return left.second.last < right.second.last;
    });
    failures_.erase(oldest);
}

}  // namespace hvagent::identity
