#include "agent/jobs/webhooks.h"

#include <algorithm>

#include "hvagent/log.h"

namespace hvagent::jobs {
namespace {

constexpr std::size_t slow_host_limit = 2;

// "http://host:port" of the URL.
std::string host_of(const std::string& url) {
    const std::size_t scheme = url.find("://");
    const std::size_t path = url.find_first_of("/?#", scheme == std::string::npos ? 0 : scheme + 3);
    return url.substr(0, path);
}

}  // namespace

Webhooks::Webhooks(WebhookOffice& office, HttpClient& http, const Clock& clock, const JobSettings& settings)
    : office_(office),
      http_(http),
      clock_(clock),
      settings_(settings),
      workers_("webhook", settings.webhook_threads, settings.thread_idle) {}

void Webhooks::start() {
    {
        const std::lock_guard lock(mutex_);
        running_ = true;
    }
    load_pending();
    send_due();
}

void Webhooks::stop() {
    {
        const std::lock_guard lock(mutex_);
        running_ = false;
    }
    workers_.stop();
    const std::lock_guard lock(mutex_);
    deliveries_.clear();
    hosts_.clear();
    later_.clear();
}

void Webhooks::add(const Webhook& webhook) {
    {
        const std::lock_guard lock(mutex_);
        if (!running_) return;
        add_locked(webhook);
    }
    office_.due_changed();
}

void Webhooks::add_locked(const Webhook& webhook) {
    if (deliveries_.contains(webhook.job)) return;
    if (deliveries_.size() >= settings_.max_webhooks_in_memory) {
        more_in_store_ = true;
        return;
    }
    deliveries_.emplace(webhook.job, Delivery{webhook});
    if (clock_.moment() < webhook.not_before) {
        later_.emplace(webhook.not_before, webhook.job);
        return;
    }
    Host& host = hosts_[host_of(webhook.url)];
    host.ready.push_back(webhook.job);
    send_locked(host);
}

void Webhooks::load_pending() {
    std::vector<Webhook> found;
    office_.each_pending([&](Webhook webhook) {
        const std::lock_guard lock(mutex_);
        if (deliveries_.contains(webhook.job)) return;
        if (found.size() + deliveries_.size() < settings_.max_webhooks_in_memory)
            found.push_back(std::move(webhook));
        else
            more_in_store_ = true;
    });
    const std::lock_guard lock(mutex_);
    if (!running_) return;
    for (const Webhook& webhook : found) add_locked(webhook);
}

void Webhooks::send_due() {
    const std::lock_guard lock(mutex_);
    if (!running_) return;
    const Moment now = clock_.moment();
    while (!later_.empty() && later_.begin()->first <= now) {
        const JobId job = later_.begin()->second;
        later_.erase(later_.begin());
        hosts_[host_of(deliveries_.at(job).webhook.url)].ready.push_back(job);
    }
    for (auto& [name, host] : hosts_) send_locked(host);
    std::erase_if(hosts_, [this](const auto& entry) { return is_idle(entry.second); });
    workers_.grow();
}

std::size_t Webhooks::limit_of(const Host& host) const {
    if (host.refusing) return 1;
    return host.slow ? std::min(slow_host_limit, settings_.webhooks_per_host) : settings_.webhooks_per_host;
}

void Webhooks::send_locked(Host& host) {
    if (!running_ || clock_.moment() < host.paused_until) return;
    while (!host.ready.empty() && host.on_the_way < limit_of(host)) {
        const JobId job = host.ready.front();
        host.ready.pop_front();
        ++host.on_the_way;
        workers_.run([this, job] { deliver(job); });
    }
}

void Webhooks::deliver(const JobId& job) {
    Webhook webhook;
    {
        const std::lock_guard lock(mutex_);
        if (!running_) return;
        webhook = deliveries_.at(job).webhook;
    }
    Result result = Result::unwanted;
    bool is_over = true;
    try {
        const std::optional<Letter> letter = office_.write_letter(job);
        if (letter) {
            result = clock_.now() < webhook.expires ? post(webhook, *letter) : Result::impossible;
            office_.webhook_tried(name_of(result));
            is_over = !plan_retry(job, result);
            if (is_over) office_.end_webhook(job);
            if (is_over && result != Result::delivered)
                log::warning("webhook given up", {{"job", job.str()}, {"host", host_of(webhook.url)}});
        }
    } catch (...) {
        log::error("webhook not settled", {{"job", job.str()}, {"error", current_error().details()}});
        is_over = false;
        const std::lock_guard lock(mutex_);
        later_.emplace(clock_.moment() + settings_.webhook_retry, job);
    }
    returned(webhook, result, is_over);
}

void Webhooks::returned(const Webhook& webhook, Result result, bool is_over) {
    bool load_more = false;
    {
        const std::lock_guard lock(mutex_);
        if (is_over) deliveries_.erase(webhook.job);
        const auto found = hosts_.find(host_of(webhook.url));
        Host& host = found->second;
        --host.on_the_way;
        note(host, result);
        send_locked(host);
        if (is_idle(host)) hosts_.erase(found);
        load_more = more_in_store_ && deliveries_.size() <= settings_.max_webhooks_in_memory / 2;
        if (load_more) more_in_store_ = false;
    }
    if (load_more) load_pending();
    if (result != Result::delivered) office_.due_changed();
}

bool Webhooks::is_idle(const Host& host) const {
    return host.ready.empty() && host.on_the_way == 0 && clock_.moment() >= host.paused_until;
}

std::string_view Webhooks::name_of(Result result) {
    switch (result) {
        case Result::unwanted: return "unwanted";
        case Result::delivered: return "delivered";
        case Result::not_found: return "not_found";
        case Result::refused: return "refused";
        case Result::no_connection: return "no_connection";
        case Result::too_slow: return "too_slow";
        case Result::impossible: break;
    }
    return "impossible";
}

Webhooks::Result Webhooks::post(const Webhook& webhook, const Letter& letter) {
    const Moment began = clock_.moment();
    const auto warn = [&](const std::string& why) {
        log::warning("webhook not taken", {{"job", webhook.job.str()}, {"host", host_of(webhook.url)}, {"reason", why}});
    };
    try {
        const HttpReply reply = http_.post(webhook.url,
                                           {{"Content-Type", "application/json"},
                                            {"X-Job-UUID", webhook.job.str()},
                                            {"X-Job-Success", letter.success ? "true" : "false"}},
                                           letter.body, settings_.webhook_timeout);
        if (reply.status >= 200 && reply.status < 300) return Result::delivered;
        warn("the receiver answered " + std::to_string(reply.status));
        return reply.status == 404 ? Result::not_found : Result::refused;
    } catch (const Error& error) {
        warn(error.details());
        if (error.code() != Code::http_failed) return Result::impossible;
        const bool took_long = clock_.moment() - began >= settings_.webhook_timeout / 2;
        return took_long ? Result::too_slow : Result::no_connection;
    }
}

void Webhooks::note(Host& host, Result result) {
    if (result == Result::unwanted || result == Result::impossible) return;
    host.slow = result == Result::too_slow;
    host.refusing = result == Result::no_connection;
    host.paused_until = host.refusing ? clock_.moment() + settings_.webhook_retry : Moment{};
}

bool Webhooks::plan_retry(const JobId& job, Result result) {
    const std::lock_guard lock(mutex_);
    Delivery& delivery = deliveries_.at(job);
    if (result == Result::delivered || result == Result::impossible) return false;
    if (result == Result::not_found && ++delivery.not_found >= settings_.webhook_not_found_tries) return false;
    ++delivery.tries;
    const int doublings = std::clamp(delivery.tries - settings_.webhook_quick_tries + 1, 0, 20);
    const milliseconds pause = std::min(settings_.webhook_retry * (1 << doublings), settings_.webhook_longest_retry);
    later_.emplace(clock_.moment() + pause, job);
    return true;
}

std::optional<Moment> Webhooks::next_due() const {
    const std::lock_guard lock(mutex_);
    std::optional<Moment> next;
    if (!later_.empty()) next = later_.begin()->first;
    for (const auto& [name, host] : hosts_) {
        if (host.ready.empty() || host.on_the_way >= limit_of(host)) continue;
        if (!next || host.paused_until < *next) next = host.paused_until;
    }
    return next;
}

std::size_t Webhooks::pending() const {
    const std::lock_guard lock(mutex_);
    return deliveries_.size();
}

}  // namespace hvagent::jobs
