// Open connections to webhook receivers, so that a webhook costs a round trip and not a handshake.
#pragma once
#include <mutex>
#include <string>
#include <vector>

#include "drivers/http_client/curl_handle.h"

namespace hvagent {

// Thread-safe.
class ConnectionPool {
public:
    // An idle handle that was last used for this origin, or a new one.
    EasyHandle take(const std::string& origin);
    void give_back(const std::string& origin, EasyHandle handle);

private:
    struct Idle {
        std::string origin;
        EasyHandle handle;
    };
    std::mutex mutex_;
    std::vector<Idle> idle_;  // the one used last at the back
};

}  // namespace hvagent
