// Delivery of finished jobs' answers to the URLs their clients gave: at least once, until taken, refused or expired.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/jobs/engine.h"
#include "agent/jobs/workers.h"

namespace hvagent::jobs {

struct Webhook {
    JobId job;
    std::string url;
    Moment not_before{};  // of the first try
    Time expires{};
};

struct Letter {
    std::string body;
    bool success = false;
};

// Where webhooks come from and what becomes of them. Thread-safe.
class WebhookOffice {
public:
    virtual ~WebhookOffice() = default;
    // What to send; nothing when it is settled already.
    virtual std::optional<Letter> write_letter(const JobId& job) = 0;
    // Delivered or given up.
    virtual void end_webhook(const JobId& job) = 0;
    // All that are not settled, oldest first.
    virtual void each_pending(const std::function<void(Webhook)>& visit) = 0;
    // next_due() may have changed.
    virtual void due_changed() = 0;
    // A delivery was tried: "delivered", "not_found", "refused", "no_connection", "too_slow" or "impossible".
    virtual void webhook_tried(std::string_view) {}
};

// Thread-safe. One host gets a few deliveries at a time, fewer while it is slow; one that refuses connections is asked
// again with one delivery at a time. So a bad receiver delays only its own.
class Webhooks {
public:
    Webhooks(WebhookOffice& office, HttpClient& http, const Clock& clock, const JobSettings& settings);

    void start();  // with what is pending
    void stop();   // waits for deliveries on the way, at most webhook_timeout
    void add(const Webhook& webhook);
    // Begins what is due.
    void send_due();
    std::optional<Moment> next_due() const;

    std::size_t pending() const;
    std::size_t threads() const { return workers_.threads(); }

private:
    struct Host {
        std::deque<JobId> ready;
        std::size_t on_the_way = 0;
        bool slow = false;      // the last delivery ran into its timeout
        bool refusing = false;  // the last delivery failed at once
        Moment paused_until{};
    };
    struct Delivery {
        Webhook webhook;
        int tries = 0;
        int not_found = 0;
    };
    enum class Result { unwanted, delivered, not_found, refused, no_connection, too_slow, impossible };

    void add_locked(const Webhook& webhook);
    void load_pending();
    void send_locked(Host& host);
    std::size_t limit_of(const Host& host) const;
    void deliver(const JobId& job);
    static std::string_view name_of(Result result);
    Result post(const Webhook& webhook, const Letter& letter);
    void note(Host& host, Result result);
    bool plan_retry(const JobId& job, Result result);
    void returned(const Webhook& webhook, Result result, bool is_over);
    bool is_idle(const Host& host) const;

    WebhookOffice& office_;
    HttpClient& http_;
    const Clock& clock_;
    const JobSettings settings_;
    mutable std::mutex mutex_;
    std::unordered_map<JobId, Delivery> deliveries_;
    std::map<std::string, Host> hosts_;
    std::multimap<Moment, JobId> later_;
    bool running_ = false;
    bool more_in_store_ = false;
    Workers workers_;
};

}  // namespace hvagent::jobs
