#include "tests/bench/webhooks.h"

#include <chrono>
#include <stdexcept>

namespace hvagent::bench {

Webhooks::Webhooks() {
    server_.set_tcp_nodelay(true);
    server_.set_keep_alive_max_count(1000000);
    server_.set_keep_alive_timeout(5);  // stop() waits for it
    server_.Post("/hook", [this](const httplib::Request& request, httplib::Response&) {
        const Moment now = Clock::now();
        std::lock_guard lock(mutex_);
        deliveries_[request.get_header_value("X-Job-UUID")] = {now, request.get_header_value("X-Job-Success") == "true",
                                                               request.body};
        came_.notify_all();
    });
    const int port = server_.bind_to_any_port("127.0.0.1");
    if (port < 0) throw std::runtime_error("no port for the receiver of webhooks");
    url_ = "http://127.0.0.1:" + std::to_string(port) + "/hook";
    thread_ = std::thread([this] { server_.listen_after_bind(); });
}

Webhooks::~Webhooks() {
    server_.stop();
    thread_.join();
}

Webhooks::Delivery Webhooks::wait(const std::string& job) {
    std::unique_lock lock(mutex_);
    if (!came_.wait_for(lock, std::chrono::minutes(1), [&] { return deliveries_.contains(job); }))
        throw std::runtime_error("the webhook of job " + job + " did not come within a minute");
    Delivery delivery = std::move(deliveries_[job]);
    deliveries_.erase(job);
    return delivery;
}

}  // namespace hvagent::bench
