// One move as it is begun, or found under way, and followed to its end.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "drivers/libvirt/call_runner.h"
#include "drivers/libvirt/call_threads.h"
#include "drivers/libvirt/domain_calls.h"
#include "drivers/libvirt/migration/move_call.h"
#include "drivers/libvirt/migration/move_state.h"
#include "drivers/libvirt/migration/move_stats.h"
#include "hvagent/cancel.h"

namespace hvagent::libvirt {

// What a move needs of the driver. Its calls have a runner of their own: those that hang with a QEMU keep nobody else's.
struct MoveLines {
    std::shared_ptr<ConnectionSource> source;
    std::shared_ptr<OwnedDomains> owned;
    CallRunner& calls;
    CallThreads& movers;  // threads that wait in libvirt for the end
};

// For one use.
class Move {
public:
    Move(MoveLines lines, const VmId& vm, const MigrationWay& way, MigrationJudge& judge, Cancellation& cancel);
    // See VmMigration::migrate().
    MigrationResult run();

private:
    struct Look {
        bool found = true;
        JobNow job;
        int state = VIR_DOMAIN_NOSTATE;
        int reason = 0;
        bool active = false;
    };
    enum class End { none, moved, failed };

    template <class Call>
    auto ask(const CallName& name, milliseconds patience, Call call);
    Look look();
    void begin();
    void follow();
    // Of a move that somebody else called: only its traces tell.
    void judge_traces(const Look& seen);
    void conclude(End end, const std::string& text);
    void look_on();
    void take(const Look& seen);
    void share_bandwidth();
    bool hears_cancel();
    void obey(const MigrationOrder& order);
    bool order(const std::string& what, int (*call)(virDomainPtr, unsigned long long), unsigned long long value = 0);
    void end_early(const Error& reason);
    bool is_over();
    MigrationResult result();

    const MoveLines lines_;
    const VmId vm_;
    const MigrationWay way_;
    MigrationJudge& judge_;
    Cancellation& cancel_;
    const std::string what_;
    const std::shared_ptr<MoveState> state_ = std::make_shared<MoveState>();
    const Moment began_ = std::chrono::steady_clock::now();

    bool adopted_ = false;
    milliseconds before_{0};  // of an adopted move, when it was found
    End end_ = End::none;     // of an adopted move
    std::string end_text_;
    std::optional<Moment> missing_since_;
    MigrationSight sight_;
    int shown_iteration_ = 0;
    bool shared_ = false;
    bool post_copied_ = false;
    bool paused_ = false;
    bool told_deaf_ = false;
    Bytes stuck_at_ = -1;
    Moment stuck_since_{};
};

}  // namespace hvagent::libvirt
