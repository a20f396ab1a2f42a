// Carries the reports to one controller: in order, at least once, at the pace of that controller.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include "agent/reports/controller_store.h"
#include "agent/reports/dialect.h"

namespace hvagent::reports {

struct LinkSettings {
    milliseconds heartbeat{15000};
    milliseconds picture_every{600000};
    milliseconds timeout{5000};  // of one POST
    milliseconds first_pause{200};
    milliseconds longest_pause{10000};
    milliseconds wish_distance{1000};  // between pictures or replays that a controller asks for
};

// What all links share; outlives them.
struct LinkParts {
    ReportLog& log;
    ControllerStore& store;
    HttpClient& http;
    const Clock& clock;
    LinkSettings settings;
    std::string host_uuid;
    // Called inside a read of the database.
    std::function<json()> host_part;
    std::function<json()> vms_part;
};

// A thread of its own, so that a controller that hangs delays nobody else.
class Link {
public:
    Link(const LinkParts& parts, Controller controller);
    ~Link();
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    // There may be something new in the log. Cheap.
    void news();
    // The thread ends after the POST it is at.
    void stop();
    const Controller& controller() const { return controller_; }
    // {"confirmed", "failures", "lastError"...}; no secrets.
    json status() const;
    // How far the controller's clock was ahead of ours at its last answer; nullopt: it has not said what time it is.
    std::optional<milliseconds> clock_ahead() const;

private:
    struct Work {
        std::vector<Report> batch;  // of one kind and life
        std::int64_t first_sequence = 0;
        std::int64_t until = 0;  // confirmed when it is taken
        std::optional<Picture> picture;
        bool is_empty() const { return batch.empty() && !picture; }
    };

    void run();
    bool turn();  // false: nothing to do now
    Work next_work();
    void take_batch(Work& work, std::vector<Report> found) const;
    bool is_wanted(const Report& report) const;
    bool deliver(Work work, std::vector<Letter> letters);
    bool deliver_pending();
    bool post(const Letter& letter);
    void compare_clocks(Time sent, const HttpReply& reply);
    void grant(const Wish& wish);
    void failed(const std::string& why);
    void confirm(std::int64_t position);
    bool stopping() const;

    const LinkParts& parts_;
    const Controller controller_;
    const std::unique_ptr<Dialect> dialect_;

    // Of the thread.
    std::int64_t confirmed_;
    std::int64_t told_;  // the last position the controller heard of; behind confirmed_ lies what it does not want
    bool wants_picture_ = true;
    bool is_first_picture_ = true;
    Moment last_post_{}, last_picture_{}, wish_after_{};
    Wish wish_;
    // Letters on their way, and what is confirmed when the last is taken.
    struct Pending {
        Work work;
        std::vector<Letter> letters;
        std::size_t taken = 0;
    };
    std::optional<Pending> pending_;
    std::minstd_rand random_{std::random_device{}()};

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t news_ = 0;
    bool stopping_ = false;
    int failures_ = 0;  // in a row
    std::string last_error_;
    std::int64_t shown_confirmed_ = 0;
    Time last_success_{};
    std::optional<milliseconds> clock_ahead_;
    std::thread thread_;
};

}  // namespace hvagent::reports
