#include "tests/bench/samples.h"

#include <algorithm>
#include <cmath>

namespace hvagent::bench {
namespace {

double rounded(double value) {
    return std::round(value * 1000) / 1000;
}

double ratio(double over, double under) {
    return under > 0 ? rounded(over / under) : 0;
}

}  // namespace

double ms_between(Moment from, Moment to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

double ms_since(Moment from) {
    return ms_between(from, Clock::now());
}

double Samples::percentile(double share) const {
    if (values_.empty()) return 0;
    std::vector<double> sorted = values_;
    std::sort(sorted.begin(), sorted.end());
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
    return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

nlohmann::json Samples::to_json() const {
    return {{"n", size()},
            {"p50_ms", rounded(percentile(0.5))},
            {"p95_ms", rounded(percentile(0.95))},
            {"least_ms", rounded(percentile(0))},
            {"most_ms", rounded(percentile(1))}};
}

nlohmann::json Sides::to_json() const {
    Samples differences;
    for (std::size_t i = 0; i < std::min(rest.size(), raw.size()); ++i) differences.add(rest.at(i) - raw.at(i));
    const double ours = rest.percentile(0.5), theirs = raw.percentile(0.5), shell = virsh.percentile(0.5);
    return {{"rest", rest.to_json()},
            {"raw", raw.to_json()},
            {"virsh", virsh.to_json()},
            {"overhead_p50_ms", rounded(ours - theirs)},
            {"overhead_paired_p50_ms", rounded(differences.percentile(0.5))},
            {"virsh_overhead_p50_ms", rounded(shell - theirs)},
            {"ratio_to_raw", ratio(ours, theirs)},
            {"ratio_to_virsh", ratio(ours, shell)}};
}

}  // namespace hvagent::bench
