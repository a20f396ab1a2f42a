// Access keys: an id and a secret that sign requests instead of a session.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "hvagent/clock.h"
#include "hvagent/drivers/database.h"

namespace hvagent::identity {

struct AccessKey {
    std::string uuid;
    std::string id;      // "AccessKeyID"
    std::string secret;  // stored readable: checking an HMAC needs it
    std::string account;
    std::string user;
    std::string description;
    bool enabled = true;
    Time created{};
    Time last_op{};
};

// What a client signed (rest-conventions, 2.3).
struct SignedRequest {
    std::string key_id;
    std::string signature;  // Base64 of HMAC-SHA1
    std::string method;
    std::string date;  // text of the header
    std::string path;  // as sent, with its prefix, without the query
};

// Thread-safe.
class AccessKeys {
public:
    AccessKeys(Database& database, const Clock& clock) : database_(database), clock_(clock) {}

    void load();
    // Fills in id, secret and times where they are empty. A key of this uuid that exists already is returned as it is.
    // Error(invalid_argument) when the id is taken.
    AccessKey create(AccessKey key);
    void remove(const std::string& uuid);  // not there is a success
    // Error(not_found).
    AccessKey set_enabled(const std::string& uuid, bool enabled);
    std::vector<AccessKey> list() const;

    // The account of the key that made this signature. Error(bad_request): no date; Error(request_time_skewed);
    // Error(authentication_failed): unknown or disabled key, wrong signature.
    std::string verify(const SignedRequest& request) const;

private:
    void store(const AccessKey& key);

    Database& database_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    std::map<std::string, AccessKey> keys_;  // by uuid
};

}  // namespace hvagent::identity
