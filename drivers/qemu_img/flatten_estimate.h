// What a top layer would take over from the layers below, by the map that qemu-img prints.
#pragma once
#include <set>
#include <string_view>

#include "hvagent/drivers/disk_images.h"

namespace hvagent {

class FlattenCounter {
public:
    explicit FlattenCounter(Bytes cluster_size) : cluster_(cluster_size) {}

    // A line of `qemu-img map --output=json`: one extent, in order of place. Error(internal) for what is none.
    void add_line(std::string_view line);
    // `allocated`: the top layer's file now.
    FlattenEstimate estimate(Bytes allocated) const;

private:
    void add_data(Bytes start, Bytes length);

    const Bytes cluster_;
    Bytes clusters_ = 0;
    Bytes next_cluster_ = 0;      // those before are counted
    std::set<Bytes> own_tables_;  // parts of the disk for which the top layer has an L2 table
    std::set<Bytes> tables_;      // those that need one
};

}  // namespace hvagent
