#include "agent/operations/migration/convergence.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

namespace hvagent::operations {
namespace {

using What = MigrationOrder::What;

constexpr int rungs = 6;
constexpr int first_pass_that_counts = 2;  // the first one sends everything
// Passes without a new minimum after which the longest downtime is allowed at once, and after which the move is stuck.
constexpr int patience = 3;
constexpr int last_patience = 6;
constexpr double gain = 0.98;
// QEMU slows a guest down by at most this.
constexpr int full_throttle = 99;
constexpr seconds shortest_time(60);
constexpr milliseconds longest_standstill(60000);
constexpr milliseconds standstill_without_peer(10000);
constexpr seconds way_out_patience(30);

double as_seconds(milliseconds time) {
    return static_cast<double>(time.count()) / 1000;
}

std::string text_of(milliseconds time) {
    std::ostringstream text;
    text << std::fixed << std::setprecision(time < seconds(10) ? 1 : 0) << as_seconds(time) << " s";
    return text.str();
}

// How long what is left takes while the guest writes nothing; negative: unknown.
milliseconds time_to_send(const MigrationSight& sight) {
    if (sight.bytes_per_second <= 0) return milliseconds(-1);
    return milliseconds(static_cast<std::int64_t>(1000.0 * static_cast<double>(sight.memory_remaining) /
                                                  static_cast<double>(sight.bytes_per_second)));
}

std::string rate(Bytes per_second) {
    return human_size(per_second) + "/s";
}

std::string disks_text(const MigrationSight& sight) {
    std::string text = "disks: " + human_size(sight.disk_done) + " of " + human_size(sight.disk_total);
    const double elapsed = as_seconds(sight.elapsed);
    if (elapsed < 1 || sight.disk_done == 0) return text;
    const double average = static_cast<double>(sight.disk_done) / elapsed;
    const Bytes left = std::max<Bytes>(0, sight.disk_total - sight.disk_done);
    return text + ", " + rate(static_cast<Bytes>(average)) + ", about " +
           text_of(milliseconds(static_cast<std::int64_t>(1000 * static_cast<double>(left) / average))) + " left";
}

std::string memory_text(const MigrationSight& sight) {
    std::string text = "memory: " + human_size(sight.memory_remaining) + " of " + human_size(sight.memory_total) + " left";
    if (sight.iteration > 0) text += ", pass " + std::to_string(sight.iteration);
    if (sight.bytes_per_second > 0) text += ", " + rate(sight.bytes_per_second);
    if (sight.dirtied_per_second > 0) text += ", dirtied " + rate(sight.dirtied_per_second);
    if (sight.throttle_percent > 0) text += ", guest slowed down by " + std::to_string(sight.throttle_percent) + " %";
    const Bytes net = sight.bytes_per_second - sight.dirtied_per_second;
    if (net > 0)
        text += ", about " +
                text_of(milliseconds(static_cast<std::int64_t>(1000.0 * static_cast<double>(sight.memory_remaining) /
                                                               static_cast<double>(net)))) +
                " left";
    else if (sight.bytes_per_second > 0)
        text += ", no end in sight";
    return text;
}

}  // namespace

milliseconds first_downtime(milliseconds longest) {
    return std::clamp(longest / 10, std::min(longest, milliseconds(50)), std::max(milliseconds(50), longest));
}

milliseconds time_for(const MigrationOptions& options, Bytes data) {
    const double gib = static_cast<double>(data) / static_cast<double>(GiB);
    double time = std::max(as_seconds(shortest_time), gib * as_seconds(options.timeout_per_gib));
    if (options.bandwidth > 0)
        time = std::max(time, 3.0 * static_cast<double>(data) / static_cast<double>(options.bandwidth));
    return milliseconds(static_cast<std::int64_t>(1000 * time));
}

std::string progress_text(const MigrationSight& sight) {
    switch (sight.phase) {
        case MigrationPhase::preparing: return "preparing";
        case MigrationPhase::copying_disks: return disks_text(sight);
        case MigrationPhase::copying_memory: return memory_text(sight);
        case MigrationPhase::post_copy: break;
    }
    return "post-copy: the guest runs at the destination, " + human_size(sight.memory_remaining) + " of its memory to come";
}

Convergence::Convergence(const MigrationOptions& options, Progress progress, PeerIsLost peer_is_lost)
    : options_(options),
      progress_(std::move(progress)),
      peer_is_lost_(std::move(peer_is_lost)),
      downtime_(first_downtime(options.max_downtime)) {}

MigrationOrder Convergence::judge(const MigrationSight& sight) {
    show(sight);
    // Both hosts have a part of the memory: nothing can be taken back.
    if (sight.phase == MigrationPhase::post_copy) return {};
    if (const std::string why = why_it_stands_still(sight); !why.empty()) return abort(sight, why);
    if (way_out_ != What::go_on) return judge_way_out(sight);
    const milliseconds limit = time_for(options_, sight.disk_total + sight.memory_total);
    if (sight.elapsed > limit) {
        const std::string why = "it was not done within " + text_of(limit);
        return sight.phase == MigrationPhase::copying_memory ? give_way(sight, why) : abort(sight, why);
    }
    if (sight.phase == MigrationPhase::copying_memory && sight.new_iteration) return judge_pass(sight);
    return {};
}

MigrationOrder Convergence::judge_pass(const MigrationSight& sight) {
    if (sight.iteration < first_pass_that_counts) return {};
    const bool is_less =
        least_remaining_ < 0 || static_cast<double>(sight.memory_remaining) < gain * static_cast<double>(least_remaining_);
    // A guest that is being slowed down further has not shown yet what that brings.
    const bool is_slower = sight.throttle_percent > most_throttle_ && most_throttle_ < full_throttle;
    passes_without_gain_ = is_less || is_slower ? 0 : passes_without_gain_ + 1;
    least_remaining_ = is_less ? sight.memory_remaining : least_remaining_;
    most_throttle_ = std::max(most_throttle_, sight.throttle_percent);
    if (passes_without_gain_ >= last_patience && downtime_ == options_.max_downtime)
        return give_way(sight, std::to_string(passes_without_gain_) + " passes brought no gain");
    if (passes_without_gain_ >= patience) return raise_downtime(options_.max_downtime);
    rung_ = std::min(rung_ + 1, rungs);
    const double first = static_cast<double>(first_downtime(options_.max_downtime).count());
    const double longest = static_cast<double>(options_.max_downtime.count());
    return raise_downtime(milliseconds(std::llround(first * std::pow(longest / first, static_cast<double>(rung_) / rungs))));
}

MigrationOrder Convergence::raise_downtime(milliseconds wanted) {
    wanted = std::min(wanted, options_.max_downtime);
    if (wanted <= downtime_) return {};
    downtime_ = wanted;
    return {What::set_max_downtime, downtime_, ""};
}

MigrationOrder Convergence::give_way(const MigrationSight& sight, const std::string& why) {
    if (options_.when_stuck == WhenStuck::abort) return abort(sight, why);
    way_out_at_ = sight.elapsed;
    if (options_.when_stuck == WhenStuck::post_copy) {
        way_out_ = What::start_post_copy;
        return {way_out_, {}, why};
    }
    const milliseconds pause = time_to_send(sight);
    if (pause.count() < 0 || pause > options_.max_pause)
        return abort(sight, why + ", and a pause of " + (pause.count() < 0 ? "unknown length" : text_of(pause)) +
                                " is longer than " + text_of(options_.max_pause));
    way_out_ = What::pause_guest;
    return {way_out_, {}, why + "; the guest stands still for about " + text_of(pause)};
}

// The guest is paused, or should be in post-copy: both end soon, or something is wrong.
MigrationOrder Convergence::judge_way_out(const MigrationSight& sight) {
    const milliseconds limit =
        way_out_ == What::pause_guest ? 2 * options_.max_pause + way_out_patience : milliseconds(way_out_patience);
    if (sight.elapsed - way_out_at_ <= limit) return {};
    return abort(sight, way_out_ == What::pause_guest ? "a pause of the guest did not end it" : "post-copy did not begin");
}

MigrationOrder Convergence::abort(const MigrationSight& sight, const std::string& why) const {
    return {
        What::abort,
        {},
        "the migration does not converge: " + why + " (after " + text_of(sight.elapsed) + ": " + progress_text(sight) + ")"};
}

std::string Convergence::why_it_stands_still(const MigrationSight& sight) {
    const Bytes moved = sight.disk_done + sight.memory_done;
    if (moved != moved_) {
        moved_ = moved;
        moved_at_ = sight.elapsed;
    }
    const milliseconds still = sight.elapsed - moved_at_;
    if (still > longest_standstill) return "nothing was sent for " + text_of(longest_standstill);
    if (still > standstill_without_peer && peer_is_lost_ && peer_is_lost_())
        return "nothing was sent for " + text_of(standstill_without_peer) + ", and the other host's agent does not answer";
    return "";
}

void Convergence::show(const MigrationSight& sight) {
    const Bytes total = sight.disk_total + sight.memory_total;
    Bytes done = sight.disk_done;
    if (sight.phase == MigrationPhase::copying_memory || sight.phase == MigrationPhase::post_copy)
        done = total - sight.memory_remaining;
    if (total > 0)
        percent_ = std::max(percent_, static_cast<int>(std::clamp<Bytes>(100 * std::max<Bytes>(0, done) / total, 0, 99)));
    if (progress_) progress_(percent_, progress_text(sight));
}

}  // namespace hvagent::operations
