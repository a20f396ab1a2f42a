#include "drivers/http_client/connection_pool.h"

#include <algorithm>

namespace hvagent {
namespace {

constexpr std::size_t most_idle = 32;

}  // namespace

EasyHandle ConnectionPool::take(const std::string& origin) {
    {
        const std::lock_guard lock(mutex_);
        const auto found =
            std::find_if(idle_.rbegin(), idle_.rend(), [&](const Idle& candidate) { return candidate.origin == origin; });
        if (found != idle_.rend()) {
            EasyHandle handle = std::move(found->handle);
            idle_.erase(std::next(found).base());
            return handle;
        }
    }
    EasyHandle handle(curl_easy_init());
    if (!handle) throw Error(Code::internal, "libcurl gives no handle");
    return handle;
}

void ConnectionPool::give_back(const std::string& origin, EasyHandle handle) {
    curl_easy_reset(handle.get());  // keeps the connection
    Idle oldest;                    // closed after the lock is gone
    const std::lock_guard lock(mutex_);
    if (idle_.size() >= most_idle) {
        oldest = std::move(idle_.front());
        idle_.erase(idle_.begin());
    }
    idle_.push_back({origin, std::move(handle)});
}

}  // namespace hvagent
