// What the daemon counts of its own work. Cheap: a series that exists is found without building a text, and counted up
// without a lock of its own.
#pragma once
#include <chrono>
#include <memory>
#include <string_view>

#include "hvagent/clock.h"

namespace prometheus {
class Registry;
}

namespace hvagent::metrics {

// Thread-safe. Names come from tables of the daemon; should there be too many, the rest counts as "other".
class AgentMetrics {
public:
    AgentMetrics();
    ~AgentMetrics();

    // `waited`: from its submission to its start; `ran`: from there to its end.
    void job_ended(std::string_view operation, std::string_view job_class, bool succeeded, milliseconds waited,
                   milliseconds ran);
    // `end`: "done", "failed" or "timed_out".
    void libvirt_called(std::string_view call, std::string_view end, std::chrono::microseconds took);
    void request_answered(std::string_view method, int status, std::chrono::microseconds took);
    void webhook_tried(std::string_view result);

    const prometheus::Registry& registry() const;

private:
    struct Series;
    const std::unique_ptr<Series> series_;
};

}  // namespace hvagent::metrics
