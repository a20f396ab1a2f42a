#include "drivers/qemu_img/flatten_estimate.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "hvagent/error.h"

namespace hvagent {

void FlattenCounter::add_line(std::string_view line) {
    const std::size_t begin = line.find('{');
    const std::size_t end = line.rfind('}');
    if (begin == std::string_view::npos || end == std::string_view::npos) return;  // "]"
    const auto extent = nlohmann::json::parse(line.substr(begin, end - begin + 1), nullptr, false);
    if (!extent.is_object()) throw Error(Code::internal, "qemu-img map printed \"" + std::string(line) + "\"");
    const Bytes start = extent.at("start").get<Bytes>();
    const Bytes length = extent.at("length").get<Bytes>();
    const bool is_data = extent.value("data", false);
    const Bytes per_table = cluster_ * (cluster_ / 8);
    if (extent.value("depth", 0) > 0) {
        if (is_data) add_data(start, length);
    } else if (extent.value("present", true)) {
        for (Bytes table = start / per_table; table <= (start + length - 1) / per_table; ++table) own_tables_.insert(table);
    }
}

// A cluster that is touched is written as a whole.
void FlattenCounter::add_data(Bytes start, Bytes length) {
    const Bytes first = std::max(next_cluster_, start / cluster_);
    const Bytes end = (start + length + cluster_ - 1) / cluster_;
    if (first >= end) return;
    clusters_ += end - first;
    next_cluster_ = end;
    const Bytes per_table = cluster_ / 8;
    for (Bytes table = first / per_table; table <= (end - 1) / per_table; ++table) tables_.insert(table);
}

FlattenEstimate FlattenCounter::estimate(Bytes allocated) const {
    const auto is_new = [this](Bytes table) { return !own_tables_.contains(table); };
    const Bytes new_tables = std::count_if(tables_.begin(), tables_.end(), is_new);
    const Bytes per_refcount_block = cluster_ / 2;
    const Bytes metadata = new_tables + clusters_ / per_refcount_block;
    return {clusters_ * cluster_, allocated + (clusters_ + metadata) * cluster_};
}

}  // namespace hvagent
