#include "agent/metrics/agent_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <array>
#include <map>
#include <shared_mutex>
#include <string>

namespace hvagent::metrics {
namespace {

using prometheus::Counter;
using prometheus::Histogram;
using Buckets = Histogram::BucketBoundaries;

constexpr std::size_t most_series = 400;  // of a family: more than there are operations

const Buckets job_buckets{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200};
const Buckets call_buckets{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 30};
const Buckets request_buckets{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30};

template <class Duration>
double in_seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

// The series of one family by the value of their labels.
template <class Metric, std::size_t count>
class SeriesTable {
public:
    using Key = std::array<std::string, count>;
    using View = std::array<std::string_view, count>;

    SeriesTable(prometheus::Family<Metric>& family, std::array<const char*, count> names, Buckets buckets = {})
        : family_(family), names_(names), buckets_(std::move(buckets)) {}

    Metric& at(const View& values) {
        {
            const std::shared_lock lock(mutex_);
            if (const auto found = series_.find(values); found != series_.end()) return *found->second;
        }
        const std::lock_guard lock(mutex_);
        if (const auto found = series_.find(values); found != series_.end()) return *found->second;
        Key key;
        for (std::size_t i = 0; i < count; ++i)
            key[i] = series_.size() < most_series ? std::string(values[i]) : std::string("other");
        std::map<std::string, std::string> labels;
        for (std::size_t i = 0; i < count; ++i) labels.emplace(names_[i], key[i]);
        Metric* metric = nullptr;
        if constexpr (std::is_same_v<Metric, Histogram>)
            metric = &family_.Add(labels, buckets_);
        else
            metric = &family_.Add(labels);
        if (series_.size() <= most_series) series_.emplace(std::move(key), metric);
        return *metric;
    }

private:
    struct Less {
        using is_transparent = void;
        template <class A, class B>
        bool operator()(const A& a, const B& b) const {
            return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                                [](std::string_view x, std::string_view y) { return x < y; });
        }
    };

    prometheus::Family<Metric>& family_;
    const std::array<const char*, count> names_;
    const Buckets buckets_;
    std::shared_mutex mutex_;
    std::map<Key, Metric*, Less> series_;
};

prometheus::Family<Counter>& counters(prometheus::Registry& registry, const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Family<Histogram>& histograms(prometheus::Registry& registry, const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

// Anything can be sent as a method.
std::string_view known_method(std::string_view method) {
    for (std::string_view known : {"GET", "POST", "PUT", "DELETE", "HEAD"})
        if (method == known) return known;
    return "other";
}

// "200"; the text lives in `room`.
std::string_view status_text(int status, std::array<char, 3>& room) {
    if (status < 100 || status > 999) return "other";
    room = {static_cast<char>('0' + status / 100), static_cast<char>('0' + status / 10 % 10),
            static_cast<char>('0' + status % 10)};
    return {room.data(), room.size()};
}

}  // namespace

struct AgentMetrics::Series {
    prometheus::Registry registry;
    SeriesTable<Counter, 2> jobs{counters(registry, "hvagent_jobs_total", "Jobs that ended"), {"operation", "result"}};
    SeriesTable<Histogram, 1> job_times{
        histograms(registry, "hvagent_job_duration_seconds", "From the start of a job to its end"),
        {"operation"},
        job_buckets};
    SeriesTable<Histogram, 1> job_waits{
        histograms(registry, "hvagent_job_wait_seconds", "From the arrival of a job to its start"), {"class"}, job_buckets};
    SeriesTable<Counter, 2> calls{counters(registry, "hvagent_libvirt_calls_total", "Calls to libvirt"), {"call", "result"}};
    SeriesTable<Histogram, 1> call_times{
        histograms(registry, "hvagent_libvirt_call_duration_seconds", "How long a call to libvirt kept its caller"),
        {"call"},
        call_buckets};
    SeriesTable<Counter, 2> requests{counters(registry, "hvagent_http_requests_total", "Requests that were answered"),
                                     {"method", "status"}};
    SeriesTable<Histogram, 1> request_times{
        histograms(registry, "hvagent_http_request_duration_seconds", "From the complete request to its answer"),
        {"method"},
        request_buckets};
    SeriesTable<Counter, 1> webhooks{counters(registry, "hvagent_webhook_deliveries_total", "Tries to deliver a webhook"),
                                     {"result"}};
};

AgentMetrics::AgentMetrics() : series_(std::make_unique<Series>()) {}
AgentMetrics::~AgentMetrics() = default;

const prometheus::Registry& AgentMetrics::registry() const {
    return series_->registry;
}

void AgentMetrics::job_ended(std::string_view operation, std::string_view job_class, bool succeeded, milliseconds waited,
                             milliseconds ran) {
    series_->jobs.at({operation, succeeded ? "succeeded" : "failed"}).Increment();
    series_->job_times.at({operation}).Observe(in_seconds(ran));
    series_->job_waits.at({job_class}).Observe(in_seconds(waited));
}

void AgentMetrics::libvirt_called(std::string_view call, std::string_view end, std::chrono::microseconds took) {
    series_->calls.at({call, end}).Increment();
    series_->call_times.at({call}).Observe(in_seconds(took));
}

void AgentMetrics::request_answered(std::string_view method, int status, std::chrono::microseconds took) {
    std::array<char, 3> room{};
    const std::string_view known = known_method(method);
    series_->requests.at({known, status_text(status, room)}).Increment();
    series_->request_times.at({known}).Observe(in_seconds(took));
}

void AgentMetrics::webhook_tried(std::string_view result) {
    series_->webhooks.at({result}).Increment();
}

}  // namespace hvagent::metrics
