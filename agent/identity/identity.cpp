#include "agent/identity/identity.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "agent/identity/secret_hash.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::identity {
namespace {

constexpr std::size_t random_password_length = 20;

// Clients send hex digits; the case of them is no secret.
std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

}  // namespace

Identity::Identity(Database& database, const Clock& clock, IdentitySettings settings)
    : database_(database),
      clock_(clock),
      settings_(settings),
      sessions_(database, clock, settings.session_lifetime, settings.max_sessions),
      access_keys_(database, clock),
      guard_(clock) {}

void Identity::open() {
    sessions_.load();
    access_keys_.load();
    database_.write(Durability::lazy, [this](SqlSession& sql) {
        sql.run(
            "CREATE TABLE IF NOT EXISTS identity_account (uuid TEXT PRIMARY KEY, password TEXT NOT NULL, created INTEGER "
            "NOT NULL, "
            "changed INTEGER NOT NULL) WITHOUT ROWID");
        const std::int64_t now = to_unix_ms(clock_.now());
        sql.run("INSERT OR IGNORE INTO identity_account (uuid, password, created, changed) VALUES (?, '', ?, ?)",
                {std::string(admin_uuid), now, now});
    });
    database_.read([this](SqlSession& sql) {
        sql.each("SELECT password, created, changed FROM identity_account WHERE uuid = ?", {std::string(admin_uuid)},
                 [this](const SqlRow& row) {
                     password_hash_ = row.text(0);
                     admin_created_ = from_unix_ms(row.integer(1));
                     admin_changed_ = from_unix_ms(row.integer(2));
                 });
    });
}

std::string Identity::stored_hash() const {
    const std::lock_guard lock(mutex_);
    return password_hash_;
}

Time Identity::admin_changed() const {
    const std::lock_guard lock(mutex_);
    return admin_changed_;
}

void Identity::store_password(const std::string& password) {
    const std::string hash = hash_password(password, settings_.password_iterations);
    const Time now = clock_.now();
    database_.write(Durability::flushed, [&](SqlSession& sql) {
        sql.run("UPDATE identity_account SET password = ?, changed = ? WHERE uuid = ?",
                {hash, to_unix_ms(now), std::string(admin_uuid)});
    });
    const std::lock_guard lock(mutex_);
    password_hash_ = hash;
    admin_changed_ = now;
}

void Identity::fix_admin_password(const std::string& clear_text) {
    password_is_fixed_ = true;
    const std::string password = sha512_hex(clear_text);
    if (is_password(password, stored_hash())) return;
    store_password(password);
    sessions_.close_all_but("");
}

void Identity::make_first_admin_password(const std::function<void(const std::string& clear_text)>& tell) {
    if (!stored_hash().empty()) return;
    const std::string clear_text = random_text(random_password_length);
    tell(clear_text);
    store_password(sha512_hex(clear_text));
}

Session Identity::log_in(const std::string& account_name, const std::string& password, const std::string& client_address) {
    guard_.attempt(account_name, client_address);
    // The hash is computed for an unknown account too, so that the time taken does not tell which accounts exist.
    const bool fits = is_password(lower(password), stored_hash());
    if (!fits || account_name != admin_name) {
        log::warning("login failed", {{"client", client_address}});
        throw Error(Code::authentication_failed, "wrong account name or password");
    }
    guard_.succeeded(account_name, client_address);
    return sessions_.open(std::string(admin_uuid));
}

void Identity::change_admin_password(const std::string& password, const std::optional<std::string>& old_password,
                                     const std::string& kept) {
    if (password_is_fixed_)
        throw Error(Code::operation_failed,
                    "the password is set by '[admin] password' of the configuration; change it there");
    if (old_password && !is_password(lower(*old_password), stored_hash()))
        throw Error(Code::authentication_failed, "parameter 'oldPassword' is not the password in use");
    store_password(lower(password));
    sessions_.close_all_but(kept);
}

std::string Identity::account_of_session(const std::string& session) {
    const auto found = sessions_.find(session);
    if (!found)
        throw Error(Code::invalid_session, "Session expired: the session is unknown or its time is over; log in again");
    return found->account;
}

void write_password_file(const std::string& path, const std::string& clear_text) {
    const auto fail = [&path](const char* what) {
        throw Error(Code::io_failed,
                    std::string("cannot ") + what + " the password file " + path + ": " + std::strerror(errno));
    };
    unlink(path.c_str());  // whatever stands there may be open elsewhere, or a link
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) fail("create");
    const std::string text = clear_text + "\n";
    const bool is_written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(file) == 0;
    close(file);
    if (!is_written) fail("write");
}

}  // namespace hvagent::identity
