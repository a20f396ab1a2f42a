// What the agent keeps in its store: typed records for operations, wire views for answers, and the query language.
#pragma once
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/api/query_request.h"
#include "agent/api/resource_shape.h"
#include "agent/api/row.h"
#include "agent/inventory/records.h"
#include "hvagent/clock.h"
#include "hvagent/drivers/database.h"

namespace hvagent::inventory {

using nlohmann::json;

// `column = value` conditions, all must hold; "" and nullptr mean "is not set". Columns are field names of the wire
// ("vmInstanceUuid") or, for what is not on the wire, the member's name ("destroyed_at"). Texts compare exactly.
using Where = std::vector<std::pair<std::string, SqlValue>>;

// A VM that is shown otherwise than before.
struct VmChange {
    VmId vm;
    std::optional<VmState> before;  // nullopt: there was, or is, no such VM
    std::optional<VmState> after;
    std::string reason;  // why, where libvirt showed it
    Time at{};           // when it was observed; unset where a job decided it
    bool by_job = false;
};

// Thread-safe. Reads never wait for writes. Every write is one transaction; `transaction` joins several.
class Inventory final : public api::References {
public:
    Inventory(Database& database, const Clock& clock);

    // Creates or upgrades the schema. Error(no_capability) when the file was written by a newer version.
    void migrate();

    // T is a struct of include/hvagent/model with a record description in records.h.
    template <class T>
    void insert(T record);  // sets created and last_op when unset
    template <class T>
    std::optional<T> find(const IdOf<T>& id) const;
    template <class T>
    T get(const IdOf<T>& id) const;  // Error(not_found)
    template <class T>
    std::vector<T> list(const Where& where = {}) const;  // ordered by creation
    template <class T>
    std::int64_t count(const Where& where = {}) const;
    // Read, change, write in one transaction; sets last_op. Error(not_found).
    template <class T>
    T modify(const IdOf<T>& id, const std::function<void(T&)>& change);
    // As modify, for facts that are seen again after a crash (observed state): not flushed; last_op stays. False when there
    // is none.
    template <class T>
    bool observe(const IdOf<T>& id, const std::function<void(T&)>& change);
    template <class T>
    void remove(const IdOf<T>& id);  // not there is a success; its tags go too
    // What `work` writes through this inventory is kept as a whole or, when it throws, not at all.
    void transaction(const std::function<void()>& work);

    // The wire view of one resource ("VmInstance"), nested ones included; Error(not_found).
    json view(std::string_view resource, const std::string& uuid) const;
    // {"inventory": view}
    json answer(std::string_view resource, const std::string& uuid) const;
    // {"inventories": [...], "total": n} by the grammar of rest-conventions section 8.
    json query(std::string_view resource, const api::QueryRequest& request) const;
    // The same as JSON text, which is several times faster for long lists; with_schema adds "schema": {path: class}.
    std::string query_text(std::string_view resource, const api::QueryRequest& request, bool with_schema = false) const;

    bool exists(std::string_view resource, const std::string& uuid) const override;
    std::string fate(std::string_view resource, const std::string& uuid) const override;
    std::optional<VmState> vm_state(const VmId& vm) const override;

    // Tags. `type` is "System" or "User"; an identical tag on the same resource is Error(duplicate_tag).
    Tag add_tag(std::string_view resource, const std::string& uuid, const std::string& tag, const std::string& type);
    std::vector<Tag> tags_of(const std::string& uuid, const std::string& type) const;
    // The first system tag "<name>::..." of a resource, without "<name>::"; "" for a tag that is the name alone ("qemuga").
    std::optional<std::string> system_tag(const std::string& uuid, std::string_view name) const;
    void remove_system_tags(const std::string& uuid, std::string_view name);

    // Called after each commit that changed the state of a VM (from the committing thread; must not block). With a
    // transaction of the Database around ours the call comes when ours ends, so open transactions with `transaction`.
    void on_vm_change(std::function<void(const VmId&)> listener);
    // Called inside each write that changed states of VMs, or the reason for one, before it is committed: what it writes
    // through the session is kept or lost with the change. In order of the changes. Set before the first write.
    void log_vm_changes_with(std::function<void(SqlSession&, const std::vector<VmChange>&)> log) {
        change_log_ = std::move(log);
    }
    // The shapes of all resources, for OpenAPI, schema and completion.
    static const std::vector<api::ResourceShape>& shapes();

private:
    void write(Durability durability, const std::function<void(SqlSession&)>& work);
    template <class T>
    std::optional<T> find_in(SqlSession& session, const IdOf<T>& id) const;
    template <class T>
    void update(SqlSession& session, const T& before, const T& after);
    template <class T>
    void note_change(const T* before, const T* after);
    void tell_listeners(const std::vector<VmChange>& changes);

    Database& database_;
    const Clock& clock_;
    // Touched inside a write only, where the database lets in one thread at a time.
    std::vector<VmChange> changes_;
    int write_depth_ = 0;
    std::function<void(SqlSession&, const std::vector<VmChange>&)> change_log_;
    std::mutex listeners_mutex_;
    std::vector<std::function<void(const VmId&)>> listeners_;
};

}  // namespace hvagent::inventory
