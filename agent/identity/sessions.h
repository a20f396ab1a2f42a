// Who is logged in. Kept in memory; the database holds hashes, so that sessions survive a restart and a stolen file opens
// none.
#pragma once
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "hvagent/clock.h"
#include "hvagent/drivers/database.h"

namespace hvagent::identity {

struct Session {
    std::string uuid;
    std::string account;
    Time created{};
    Time expires{};
};

// Thread-safe.
class Sessions {
public:
    Sessions(Database& database, const Clock& clock, seconds lifetime, std::size_t most);

    void load();
    // Error(too_many_sessions) when there are too many even after expired ones and those unused for a while are gone.
    Session open(const std::string& account);
    // Nothing when there is no such session or it has expired.
    std::optional<Session> find(const std::string& uuid);
    // Error(invalid_session) when there is none.
    Session renew(const std::string& uuid, seconds lifetime);
    void close(const std::string& uuid);
    void close_all_but(const std::string& uuid);

private:
    struct Entry {
        std::string account;
        Time created{};
        Time expires{};
        Time last_used{};
    };
    // Hashes of the sessions that gave way.
    std::vector<std::string> make_room(Time now);

    Database& database_;
    const Clock& clock_;
    const seconds lifetime_;
    const std::size_t most_;
    std::mutex mutex_;
    std::unordered_map<std::string, Entry> entries_;  // by hash of the uuid
};

}  // namespace hvagent::identity
