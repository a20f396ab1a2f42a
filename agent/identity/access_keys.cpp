#include "agent/identity/access_keys.h"

#include <algorithm>
#include <set>

#include "agent/identity/request_date.h"
#include "agent/identity/secret_hash.h"
#include "hvagent/error.h"
#include "hvagent/ids.h"

namespace hvagent::identity {
namespace {

constexpr std::chrono::minutes most_skew{15};
constexpr std::size_t id_length = 20;
constexpr std::size_t secret_length = 40;

std::string with_single_slashes(const std::string& path) {
    std::string out;
    for (char c : path)
        if (c != '/' || out.empty() || out.back() != '/') out += c;
    return out;
}

std::string percent_decoded(const std::string& path) {
    std::string out;
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] == '%' && i + 2 < path.size() && std::isxdigit(static_cast<unsigned char>(path[i + 1])) &&
            std::isxdigit(static_cast<unsigned char>(path[i + 2]))) {
            out += static_cast<char>(std::stoi(path.substr(i + 1, 2), nullptr, 16));
            i += 2;
        } else {
            out += path[i];
        }
    }
    return out;
}

// Clients sign the path after the context path, "/v1/zones"; the Python SDK without a context path leaves "/v1" out too.
std::set<std::string> signed_paths(const std::string& sent) {
    constexpr std::string_view context = "/zstack", version = "/v1";
    std::set<std::string> paths;
    for (const std::string& decoded : {sent, percent_decoded(sent)})
        for (std::string path : {decoded, with_single_slashes(decoded)}) {
            paths.insert(path);
            if (path.starts_with(context)) path = path.substr(context.size());
            paths.insert(path);
            if (path.starts_with(version)) paths.insert(path.substr(version.size()));
        }
    return paths;
}

}  // namespace

void AccessKeys::load() {
    const std::lock_guard lock(mutex_);
    database_.write(Durability::lazy, [](SqlSession& sql) {
        sql.run(
            "CREATE TABLE IF NOT EXISTS identity_access_key (uuid TEXT PRIMARY KEY, key_id TEXT NOT NULL UNIQUE, secret "
            "TEXT NOT NULL, "
            "account TEXT NOT NULL, user TEXT NOT NULL, description TEXT NOT NULL, enabled INTEGER NOT NULL, "
            "created INTEGER NOT NULL, last_op INTEGER NOT NULL) WITHOUT ROWID");
    });
    database_.read([this](SqlSession& sql) {
        sql.each(
            "SELECT uuid, key_id, secret, account, user, description, enabled, created, last_op FROM identity_access_key",
            {}, [this](const SqlRow& row) {
                keys_[row.text(0)] = {row.text(0),
                                      row.text(1),
                                      row.text(2),
                                      row.text(3),
                                      row.text(4),
                                      row.text(5),
                                      row.integer(6) != 0,
                                      from_unix_ms(row.integer(7)),
                                      from_unix_ms(row.integer(8))};
            });
    });
}

void AccessKeys::store(const AccessKey& key) {
    database_.write(Durability::flushed, [&key](SqlSession& sql) {
        sql.run(
            "INSERT OR REPLACE INTO identity_access_key (uuid, key_id, secret, account, user, description, enabled, "
            "created, "
            "last_op) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            {key.uuid, key.id, key.secret, key.account, key.user, key.description, std::int64_t{key.enabled},
             to_unix_ms(key.created), to_unix_ms(key.last_op)});
    });
}

AccessKey AccessKeys::create(AccessKey key) {
    const std::lock_guard lock(mutex_);
    if (const auto known = keys_.find(key.uuid); known != keys_.end()) return known->second;
    if (key.uuid.empty()) key.uuid = make_uuid();
    if (key.id.empty()) key.id = random_text(id_length);
    if (key.secret.empty()) key.secret = random_text(secret_length);
    for (const auto& [uuid, other] : keys_)
        if (other.id == key.id)
            throw Error(Code::invalid_argument, "parameter 'AccessKeyID': the access key id " + key.id + " exists already");
    key.created = key.last_op = clock_.now();
    store(key);
    keys_[key.uuid] = key;
    return key;
}

void AccessKeys::remove(const std::string& uuid) {
    const std::lock_guard lock(mutex_);
    database_.write(Durability::flushed,
                    [&uuid](SqlSession& sql) { sql.run("DELETE FROM identity_access_key WHERE uuid = ?", {uuid}); });
    keys_.erase(uuid);
}

AccessKey AccessKeys::set_enabled(const std::string& uuid, bool enabled) {
    const std::lock_guard lock(mutex_);
    const auto found = keys_.find(uuid);
    if (found == keys_.end()) throw Error(Code::not_found, "there is no access key with uuid \"" + uuid + "\"");
    AccessKey changed = found->second;
    changed.enabled = enabled;
    changed.last_op = clock_.now();
    store(changed);
    found->second = changed;
    return changed;
}

std::vector<AccessKey> AccessKeys::list() const {
    const std::lock_guard lock(mutex_);
    std::vector<AccessKey> all;
    for (const auto& [uuid, key] : keys_) all.push_back(key);
    std::stable_sort(all.begin(), all.end(), [](const AccessKey& a, const AccessKey& b) { return a.created < b.created; });
    return all;
}

std::string AccessKeys::verify(const SignedRequest& request) const {
    if (request.date.empty())
        throw Error(Code::bad_request, "missing header 'Date', which a request signed with an access key needs");
    if (!is_near(request.date, clock_.now(), most_skew))
        throw Error(Code::request_time_skewed, "requestTimeTooSkewed: the header 'Date' \"" + request.date.substr(0, 64) +
                                                   "\" is more than 15 minutes away from the time of this host");
    AccessKey key;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [uuid, one] : keys_)
            if (one.id == request.key_id) key = one;
    }
    if (key.id.empty() || !key.enabled)
        throw Error(Code::authentication_failed,
                    "the access key id " + request.key_id.substr(0, 64) + (key.id.empty() ? " is unknown" : " is disabled"));
    bool fits = false;
    for (const std::string& path : signed_paths(request.path)) {
        const std::string text = request.method + "\n" + request.date + "\n" + path;
        fits |= equal_in_constant_time(hmac_sha1_base64(key.secret, text), request.signature);
    }
    if (!fits) throw Error(Code::authentication_failed, "wrong accessKey signature of the access key id " + key.id);
    return key.account;
}

}  // namespace hvagent::identity
