#include "agent/inventory/inventory.h"

#include "agent/inventory/query.h"
#include "agent/inventory/resource.h"
#include "agent/inventory/schema.h"
#include "agent/inventory/view_reader.h"
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
    for (std::size_t first = 0; first < changes.size(); ++first) {
        const VmChange& change = changes[first];
        bool seen = false;
        for (std::size_t i = 0; i < first; ++i) seen |= changes[i].vm == change.vm;
        if (seen) continue;
        std::optional<VmState> last = change.after;
        for (const VmChange& later : changes)
            if (later.vm == change.vm) last = later.after;
        if (last == change.before) continue;
        for (const auto& listener : listeners) {
            try {
                listener(change.vm);
            } catch (...) {
                log::error("a listener to VM changes failed",
                           {{"vm", change.vm.str()}, {"reason", current_error().details()}});
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
    std::vector<ViewRow> rows;
    database_.read([&](SqlSession& session) { rows = ViewReader(session, false).read(shown, row_with(shown, uuid)); });
    if (rows.empty()) throw Error(Code::not_found, "there is no " + shown.name + " with uuid \"" + uuid + "\"");
    return json::parse(rows.front().text);
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
