// Times of one thing that was measured again and again.
#pragma once
#include <chrono>
#include <nlohmann/json.hpp>
#include <vector>

namespace hvagent::bench {

using Clock = std::chrono::steady_clock;
using Moment = Clock::time_point;

double ms_between(Moment from, Moment to);
double ms_since(Moment from);

class Samples {
public:
    void add(double ms) { values_.push_back(ms); }
    std::size_t size() const { return values_.size(); }
    double at(std::size_t index) const { return values_.at(index); }
    // By rank; `share` of 0.5 is the median. 0 when nothing was measured.
    double percentile(double share) const;
    nlohmann::json to_json() const;  // n and, in milliseconds, p50, p95, least, most

private:
    std::vector<double> values_;
};

template <class Work>
double timed(Work&& work) {
    const Moment began = Clock::now();
    work();
    return ms_since(began);
}

// Runs in the same rounds against each of these, so that what else the machine does hits all alike.
struct Sides {
    Samples rest, raw, virsh;
    // overhead_p50: REST less raw; paired: the median of the differences within a round; ratios of the medians.
    nlohmann::json to_json() const;
};

}  // namespace hvagent::bench
