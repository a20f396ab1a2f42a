// Who may use the agent: the one account, its password, sessions and access keys.
#pragma once
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "agent/identity/access_keys.h"
#include "agent/identity/login_guard.h"
#include "agent/identity/sessions.h"
#include "hvagent/clock.h"
#include "hvagent/drivers/database.h"

namespace hvagent::identity {

inline constexpr std::string_view admin_uuid = "36c27e8ff05c4780bf6d2fa65700f22e";  // the same on every ZStack
inline constexpr std::string_view admin_name = "admin";

struct IdentitySettings {
    seconds session_lifetime{7200};
    std::size_t max_sessions = 500;
    int password_iterations = 20000;  // of PBKDF2
};

// Thread-safe once open() and the admin's password are done.
class Identity {
public:
    Identity(Database& database, const Clock& clock, IdentitySettings settings = {});

    // Makes the tables where they are missing and loads what is stored.
    void open();
    // The configuration fixes the password (clear text): stored when it differs, which also ends all sessions; UpdateAccount
    // refuses to change it from now on.
    void fix_admin_password(const std::string& clear_text);
    // Where no password is stored yet, makes a random one and hands it to `tell` (clear text): the only time it can be seen.
    // When `tell` throws, none is stored and the next start tries again.
    void make_first_admin_password(const std::function<void(const std::string& clear_text)>& tell);

    // `password`: lower-case hex SHA-512 of the clear text, as clients send it. Error(authentication_failed),
    // Error(login_refused) after too many wrong ones, Error(too_many_sessions).
    Session log_in(const std::string& account_name, const std::string& password, const std::string& client_address);
    // Ends all sessions but `kept`. Error(operation_failed) when the configuration fixes the password.
    void change_admin_password(const std::string& password, const std::optional<std::string>& old_password,
                               const std::string& kept);

    // The account of a session. Error(invalid_session), its details begin with "Session expired".
    std::string account_of_session(const std::string& session);

    Sessions& sessions() { return sessions_; }
    AccessKeys& access_keys() { return access_keys_; }
    Time admin_created() const { return admin_created_; }
    Time admin_changed() const;

private:
    std::string stored_hash() const;
    void store_password(const std::string& password);

    Database& database_;
    const Clock& clock_;
    const IdentitySettings settings_;
    Sessions sessions_;
    AccessKeys access_keys_;
    LoginGuard guard_;
    bool password_is_fixed_ = false;
    Time admin_created_{};
    mutable std::mutex mutex_;  // guards the two below
    std::string password_hash_;
    Time admin_changed_{};
};

// Writes the first password to a file that only this user can read. Error(io_failed).
void write_password_file(const std::string& path, const std::string& clear_text);

}  // namespace hvagent::identity
