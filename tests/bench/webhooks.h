// A receiver of webhooks that notes when each came.
#pragma once
#include <httplib.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "tests/bench/samples.h"

namespace hvagent::bench {

class Webhooks {
public:
    Webhooks();
    ~Webhooks();
    Webhooks(const Webhooks&) = delete;
    Webhooks& operator=(const Webhooks&) = delete;

    const std::string& url() const { return url_; }

    struct Delivery {
        Moment arrived;
        bool success = false;
        std::string body;
    };
    // Throws when it does not come within a minute.
    Delivery wait(const std::string& job);

private:
    httplib::Server server_;
    std::thread thread_;
    std::string url_;
    std::mutex mutex_;
    std::condition_variable came_;
    std::map<std::string, Delivery> deliveries_;
};

}  // namespace hvagent::bench
