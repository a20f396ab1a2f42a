// Whether a move gets anywhere, and what to do when it does not. Judged by QEMU's passes over the memory: between them the
// figures go up and down like a saw.
#pragma once
#include <functional>
#include <string>

#include "agent/operations/migration/options.h"
#include "hvagent/drivers/vm_migration.h"

namespace hvagent::operations {

// Small, so that guests that are easy to move hardly notice; the ladder leads from here to the longest one.
milliseconds first_downtime(milliseconds longest);

// Until a move of so much memory and disk counts as stuck: by the option, at least a minute, and at least three times what
// the limit of the bandwidth allows.
milliseconds time_for(const MigrationOptions& options, Bytes data);

class Convergence final : public MigrationJudge {
public:
    // Percent never goes back; the text is for people.
    using Progress = std::function<void(int percent, const std::string& text)>;
    // Whether the other end's agent does not answer any more: then nothing is waited for long that stands still.
    using PeerIsLost = std::function<bool()>;
    explicit Convergence(const MigrationOptions& options, Progress progress = {}, PeerIsLost peer_is_lost = {});

    MigrationOrder judge(const MigrationSight& sight) override;

private:
    MigrationOrder judge_pass(const MigrationSight& sight);
    MigrationOrder judge_way_out(const MigrationSight& sight);
    MigrationOrder raise_downtime(milliseconds wanted);
    MigrationOrder give_way(const MigrationSight& sight, const std::string& why);
    MigrationOrder abort(const MigrationSight& sight, const std::string& why) const;
    std::string why_it_stands_still(const MigrationSight& sight);  // empty: it does not
    void show(const MigrationSight& sight);

    const MigrationOptions options_;
    const Progress progress_;
    const PeerIsLost peer_is_lost_;
    int percent_ = 0;

    milliseconds downtime_;
    int rung_ = 0;
    Bytes least_remaining_ = -1;  // at the begin of a pass
    int most_throttle_ = 0;
    int passes_without_gain_ = 0;

    MigrationOrder::What way_out_ = MigrationOrder::What::go_on;  // what was ordered
    milliseconds way_out_at_{0};
    Bytes moved_ = -1;
    milliseconds moved_at_{0};
};

// "memory: 12 MiB of 256 MiB left, pass 3, 40 MiB/s, dirtied 35 MiB/s, about 4 s left".
std::string progress_text(const MigrationSight& sight);

}  // namespace hvagent::operations
