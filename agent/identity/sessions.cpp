#include "agent/identity/sessions.h"

#include <algorithm>
#include <vector>

#include "agent/identity/secret_hash.h"
#include "hvagent/error.h"
#include "hvagent/ids.h"

namespace hvagent::identity {
namespace {

// A client that logs in before each call and never out must not lock everybody out for two hours: at the limit, the session
// that was not used for the longest time gives way, but never one used this recently.
constexpr std::chrono::minutes busy_time{10};

}  // namespace

Sessions::Sessions(Database& database, const Clock& clock, seconds lifetime, std::size_t most)
    : database_(database), clock_(clock), lifetime_(lifetime), most_(most) {}

void Sessions::load() {
    const std::lock_guard lock(mutex_);
    database_.write(Durability::lazy, [this](SqlSession& sql) {
        sql.run(
            "CREATE TABLE IF NOT EXISTS identity_session (hash TEXT PRIMARY KEY, account TEXT NOT NULL, created INTEGER NOT "
            "NULL, "
            "expires INTEGER NOT NULL) WITHOUT ROWID");
        sql.run("DELETE FROM identity_session WHERE expires <= ?", {to_unix_ms(clock_.now())});
    });
    database_.read([this](SqlSession& sql) {
        sql.each("SELECT hash, account, created, expires FROM identity_session", {}, [this](const SqlRow& row) {
            const Time created = from_unix_ms(row.integer(2));
            entries_[row.text(0)] = {row.text(1), created, from_unix_ms(row.integer(3)), created};
        });
    });
}

Session Sessions::open(const std::string& account) {
    const Time now = clock_.now();
    const Session session{make_uuid(), account, now, now + lifetime_};
    const std::string hash = sha256_hex(session.uuid);
    std::vector<std::string> gone;
    {
        const std::lock_guard lock(mutex_);
        gone = make_room(now);
        entries_[hash] = {account, session.created, session.expires, now};
    }
    database_.write(Durability::lazy, [&](SqlSession& sql) {
        for (const std::string& one : gone) sql.run("DELETE FROM identity_session WHERE hash = ?", {one});
        sql.run("INSERT INTO identity_session (hash, account, created, expires) VALUES (?, ?, ?, ?)",
                {hash, account, to_unix_ms(session.created), to_unix_ms(session.expires)});
    });
    return session;
}

std::vector<std::string> Sessions::make_room(Time now) {
    std::vector<std::string> gone;
    if (entries_.size() < most_) return gone;
    auto stalest = entries_.end();
    for (auto one = entries_.begin(); one != entries_.end(); ++one) {
        if (one->second.expires <= now) gone.push_back(one->first);
        if (stalest == entries_.end() || one->second.last_used < stalest->second.last_used) stalest = one;
    }
    if (gone.empty()) {
        if (stalest == entries_.end() || stalest->second.last_used > now - busy_time)
            throw Error(Code::too_many_sessions, "there are " + std::to_string(entries_.size()) + " sessions in use, and " +
                                                     std::to_string(most_) +
                                                     " are allowed; log out, or wait until some expire");
        gone.push_back(stalest->first);
    }
    for (const std::string& hash : gone) entries_.erase(hash);
    return gone;
}

std::optional<Session> Sessions::find(const std::string& uuid) {
    const std::string hash = sha256_hex(uuid);
    const Time now = clock_.now();
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(hash);
    if (found == entries_.end() || found->second.expires <= now) return std::nullopt;
    found->second.last_used = now;
    return Session{uuid, found->second.account, found->second.created, found->second.expires};
}

Session Sessions::renew(const std::string& uuid, seconds lifetime) {
    const std::string hash = sha256_hex(uuid);
    const Time now = clock_.now();
    Session renewed{uuid, "", {}, now + lifetime};
    {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(hash);
        if (found == entries_.end() || found->second.expires <= now)
            throw Error(Code::invalid_session, "Session expired: there is no session of this uuid");
        found->second.expires = renewed.expires;
        found->second.last_used = now;
        renewed.account = found->second.account;
        renewed.created = found->second.created;
    }
    database_.write(Durability::lazy, [&](SqlSession& sql) {
        sql.run("UPDATE identity_session SET expires = ? WHERE hash = ?", {to_unix_ms(renewed.expires), hash});
    });
    return renewed;
}

void Sessions::close(const std::string& uuid) {
    const std::string hash = sha256_hex(uuid);
    {
        const std::lock_guard lock(mutex_);
        if (entries_.erase(hash) == 0) return;
    }
    // Flushed: a session that was closed must not come back with a power cut.
    database_.write(Durability::flushed,
                    [&](SqlSession& sql) { sql.run("DELETE FROM identity_session WHERE hash = ?", {hash}); });
}

void Sessions::close_all_but(const std::string& uuid) {
    const std::string kept = sha256_hex(uuid);
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(entries_, [&kept](const auto& entry) { return entry.first != kept; });
    }
    database_.write(Durability::flushed,
                    [&](SqlSession& sql) { sql.run("DELETE FROM identity_session WHERE hash <> ?", {kept}); });
}

}  // namespace hvagent::identity
