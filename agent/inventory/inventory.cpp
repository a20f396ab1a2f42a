#include "agent/inventory/inventory.h"

#include <unordered_map>

#include "agent/inventory/query.h"
#include "agent/inventory/resource.h"
#include "agent/inventory/schema.h"
#include "agent/inventory/view_tree.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::inventory {

Inventory::Inventory(Database& database, const Clock& clock) : database_(database), clock_(clock) {}

void Inventory::migrate() {
    inventory::migrate(database_);
}

void Inventory::transaction(const std::function<void()>& work) {
    write(Durability::flushed, [&](SqlSession&) { work(); });
}

void Inventory::write(Durability durability, const std::function<void(SqlSession&)>& work) {
    std::vector<VmChange> committed;
    database_.write(durability, [&](SqlSession& session) {
        const std::size_t changes_before = changes_.size();
        ++write_depth_;
        try {
            work(session);
            if (write_depth_ == 1 && change_log_ && !changes_.empty()) change_log_(session, changes_);
        } catch (...) {
            --write_depth_;
            changes_.resize(changes_before);
            throw;
        }
        // The outermost write takes the changes along; if the commit fails, they are forgotten.
        if (--write_depth_ == 0) committed.swap(changes_);
    });
    tell_listeners(committed);
}

void Inventory::tell_listeners(const std::vector<VmChange>& changes) {
    if (changes.empty()) return;
    std::vector<std::function<void(const VmId&)>> listeners;
    {
        const std::lock_guard lock(listeners_mutex_);
        listeners = listeners_;
    }
    std::unordered_map<VmId, VmChange> whole;  // from the state before the first change to that after the last
    for (const VmChange& change : changes) whole.try_emplace(change.vm, change).first->second.after = change.after;
    for (const auto& [vm, change] : whole) {
        if (change.before == change.after) continue;
        for (const auto& listener : listeners) {
            try {
                listener(vm);
            } catch (...) {
                log::error("a listener to VM changes failed", {{"vm", vm.str()}, {"reason", current_error().details()}});
            }
        }
    }
}

void Inventory::on_vm_change(std::function<void(const VmId&)> listener) {
    const std::lock_guard lock(listeners_mutex_);
    listeners_.push_back(std::move(listener));
}

json Inventory::view(std::string_view resource, const std::string& uuid) const {
    const Resource& shown = get_resource(resource);
    std::string text;
    database_.read([&](SqlSession& session) {
        const ViewTree tree(session, shown, row_with(shown, uuid));
        if (tree.size() > 0) tree.append_view(text, 0);
    });
    if (text.empty()) throw Error(Code::not_found, "there is no " + shown.name + " with uuid \"" + uuid + "\"");
    return json::parse(text);
}

json Inventory::answer(std::string_view resource, const std::string& uuid) const {
    return {{"inventory", view(resource, uuid)}};
}

json Inventory::query(std::string_view resource, const api::QueryRequest& request) const {
    return json::parse(query_text(resource, request));
}

std::string Inventory::query_text(std::string_view resource, const api::QueryRequest& request, bool with_schema) const {
    const Query query = make_query(get_resource(resource), request);
    std::string text;
    database_.read([&](SqlSession& session) { text = run_query(session, query, with_schema); });
    return text;
}

std::string Inventory::fate(std::string_view resource, const std::string& uuid) const {
    if (resource != "VmInstance") return "";
    std::optional<Migration> last;
    for (const Migration& row : list<Migration>({{"vm", uuid}}))
        if (row.role == MigrationRole::outgoing && row.stage == MigrationStage::departed &&
            (!last || row.last_op > last->last_op))
            last = row;
    if (!last) return "";
    const auto host = find<Host>(last->peer);
    return "it moved to host " + (host ? host->name + " (" + host->management_ip + ")" : last->peer.str()) + " at " +
           iso_time(last->last_op);
}

bool Inventory::exists(std::string_view resource, const std::string& uuid) const {
    const Resource& shown = get_resource(resource);
    bool found = false;
    database_.read([&](SqlSession& session) {
        session.each("SELECT 1 FROM " + identifier(shown.table) + " t0 WHERE t0.\"uuid\" = ? AND " + shown.filter("t0"),
                     {uuid}, [&](const SqlRow&) { found = true; });
    });
    return found;
}

std::optional<VmState> Inventory::vm_state(const VmId& vm) const {
    std::optional<VmState> state;
    database_.read([&](SqlSession& session) {
        session.each("SELECT \"state\" FROM \"vm\" WHERE \"uuid\" = ?", {vm.str()},
                     [&](const SqlRow& row) { state = parse_enum<VmState>(row.text(0)); });
    });
    return state;
}

const std::vector<api::ResourceShape>& Inventory::shapes() {
    static const std::vector<api::ResourceShape> shapes = [] {
        std::vector<api::ResourceShape> all;
        for (const Resource& resource : all_resources()) all.push_back(resource.shape());
        return all;
    }();
    return shapes;
}

}  // namespace hvagent::inventory
