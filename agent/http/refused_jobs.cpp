#include "agent/http/refused_jobs.h"

namespace hvagent::http {
namespace {

constexpr std::size_t most_entries = 1000;
constexpr std::chrono::minutes lifetime{10};

}  // namespace

void RefusedJobs::add(const std::string& uuid, const Error& error) {
    const std::lock_guard lock(mutex_);
    const Entry entry{error, clock_.moment() + lifetime};
    if (const auto [known, is_new] = entries_.insert_or_assign(uuid, entry); !is_new) return;
    by_age_.push_back(uuid);
    if (by_age_.size() <= most_entries) return;
    entries_.erase(by_age_.front());
    by_age_.pop_front();
}

std::optional<Error> RefusedJobs::find(const std::string& uuid) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(uuid);
    if (found == entries_.end() || found->second.until <= clock_.moment()) return std::nullopt;
    return found->second.error;
}

}  // namespace hvagent::http
