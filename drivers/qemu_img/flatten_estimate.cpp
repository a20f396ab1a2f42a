#include "drivers/qemu_img/flatten_estimate.h"

#include <algorithm>
#include <string>

#include "drivers/qemu_img/program_output.h"
#include "hvagent/error.h"

namespace hvagent {
namespace {

constexpr Bytes most_tables = 4 * 1024 * 1024;  // QEMU's QCOW_MAX_L1_SIZE, 32 MiB of 8 bytes each

}  // namespace

void FlattenCounter::add_line(std::string_view line) {
    const auto extent = read_printed_extent(line);
    if (!extent) return;
    const Bytes per_table = cluster_ * (cluster_ / 8);
    const Bytes last = extent->start + extent->length - 1;
    if (last / per_table >= most_tables)
        throw Error(Code::internal, "qemu-img map printed an extent that no qcow2 has: " + std::string(line));
    if (extent->depth > 0) {
        if (extent->is_data) add_data(extent->start, extent->length);
    } else if (extent->is_present) {
        for (Bytes table = extent->start / per_table; table <= last / per_table; ++table) own_tables_.insert(table);
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
