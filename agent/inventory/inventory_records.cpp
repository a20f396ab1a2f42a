// The typed half of the inventory: one row, one struct.
#include <type_traits>

#include "agent/inventory/inventory.h"
#include "agent/inventory/resource.h"
#include "hvagent/error.h"

namespace hvagent::inventory {
namespace {

const std::string& text_of(const std::string& key) {
    return key;
}
template <class Tag>
const std::string& text_of(const Id<Tag>& key) {
    return key.str();
}

struct Statements {
    std::string select;  // FROM included
    std::string insert;
    std::string update;
    std::string remove;
};

Statements make_statements(const Table& table) {
    std::string columns;
    std::string marks;
    std::string settings;
    for (const Column& column : table.columns) {
        if (!column.expression.empty()) continue;
        columns += (columns.empty() ? "" : ", ") + identifier(column.name);
        marks += marks.empty() ? "?" : ", ?";
        settings += (settings.empty() ? "" : ", ") + identifier(column.name) + " = ?";
    }
    const std::string name = identifier(table.name);
    return {"SELECT " + columns + " FROM " + name, "INSERT INTO " + name + " (" + columns + ") VALUES (" + marks + ")",
            "UPDATE " + name + " SET " + settings + " WHERE \"uuid\" = ?", "DELETE FROM " + name + " WHERE \"uuid\" = ?"};
}

template <class T>
const Statements& statements_of() {
    static const Statements statements = make_statements(record_of<T>().table());
    return statements;
}

struct Clause {
    std::string sql;
    SqlValues values;
};

Clause clause_of(const Table& table, const Where& where) {
    Clause clause;
    for (const auto& [column, value] : where) {
        if (!table.find(column)) throw Error(Code::internal, "table " + table.name + " has no column \"" + column + "\"");
        clause.sql += (clause.sql.empty() ? " WHERE " : " AND ") + identifier(column) + " IS ?";
        const auto* text = std::get_if<std::string>(&value);
        clause.values.push_back(text && text->empty() ? SqlValue(nullptr) : value);
    }
    return clause;
}

[[noreturn]] void fail_not_found(const Table& table, const std::string& key) {
    throw Error(Code::not_found, "there is no " + table.resource + " with uuid \"" + key + "\"");
}

}  // namespace

template <class T>
void Inventory::insert(T record) {
    if (text_of(record.uuid).empty()) throw Error(Code::internal, "a " + record_of<T>().table().resource + " without uuid");
    if (record.created == Time{}) record.created = clock_.now();
    if (record.last_op == Time{}) record.last_op = record.created;
    write(Durability::flushed, [&](SqlSession& session) {
        session.run(statements_of<T>().insert, record_of<T>().store(record));
        note_change<T>(nullptr, &record);
    });
}

template <class T>
std::optional<T> Inventory::find_in(SqlSession& session, const IdOf<T>& id) const {
    std::optional<T> found;
    session.each(statements_of<T>().select + " WHERE \"uuid\" = ?", {text_of(id)},
                 [&](const SqlRow& row) { found = record_of<T>().load(row); });
    return found;
}

template <class T>
std::optional<T> Inventory::find(const IdOf<T>& id) const {
    std::optional<T> found;
    database_.read([&](SqlSession& session) { found = find_in<T>(session, id); });
    return found;
}

template <class T>
T Inventory::get(const IdOf<T>& id) const {
    if (std::optional<T> found = find<T>(id)) return std::move(*found);
    fail_not_found(record_of<T>().table(), text_of(id));
}

template <class T>
std::vector<T> Inventory::list(const Where& where) const {
    const Clause clause = clause_of(record_of<T>().table(), where);
    std::vector<T> found;
    database_.read([&](SqlSession& session) {
        session.each(statements_of<T>().select + clause.sql + " ORDER BY \"createDate\", rowid", clause.values,
                     [&](const SqlRow& row) { found.push_back(record_of<T>().load(row)); });
    });
    return found;
}

template <class T>
std::int64_t Inventory::count(const Where& where) const {
    const Table& table = record_of<T>().table();
    const Clause clause = clause_of(table, where);
    std::int64_t number = 0;
    database_.read([&](SqlSession& session) {
        session.each("SELECT COUNT(*) FROM " + identifier(table.name) + clause.sql, clause.values,
                     [&](const SqlRow& row) { number = row.integer(0); });
    });
    return number;
}

template <class T>
void Inventory::update(SqlSession& session, const T& before, const T& after) {
    const Record<T>& record = record_of<T>();
    if (before.uuid != after.uuid)
        throw Error(Code::internal, "the uuid of a " + record.table().resource + " cannot change");
    SqlValues values = record.store(after);
    if (values == record.store(before)) return;
    values.emplace_back(text_of(after.uuid));
    session.run(statements_of<T>().update, values);
    note_change<T>(&before, &after);
}

template <class T>
T Inventory::modify(const IdOf<T>& id, const std::function<void(T&)>& change) {
    T after{};
    write(Durability::flushed, [&](SqlSession& session) {
        const std::optional<T> before = find_in<T>(session, id);
        if (!before) fail_not_found(record_of<T>().table(), text_of(id));
        after = *before;
        change(after);
        after.last_op = clock_.now();
        update<T>(session, *before, after);
    });
    return after;
}

template <class T>
bool Inventory::observe(const IdOf<T>& id, const std::function<void(T&)>& change) {
    bool is_there = false;
    write(Durability::lazy, [&](SqlSession& session) {
        const std::optional<T> before = find_in<T>(session, id);
        is_there = before.has_value();
        if (!before) return;
        T after = *before;
        change(after);
        update<T>(session, *before, after);
    });
    return is_there;
}

template <class T>
void Inventory::remove(const IdOf<T>& id) {
    write(Durability::flushed, [&](SqlSession& session) {
        const std::optional<T> before = find_in<T>(session, id);
        if (!before) return;
        session.run(statements_of<T>().remove, {text_of(id)});
        session.run("DELETE FROM \"tag\" WHERE \"resourceUuid\" = ?", {text_of(id)});
        note_change<T>(&*before, nullptr);
    });
}

template <class T>
void Inventory::note_change(const T* before, const T* after) {
    if constexpr (std::is_same_v<T, Vm>) {
        VmChange change;
        change.vm = before ? before->uuid : after->uuid;
        if (before) change.before = before->state();
        if (after) change.after = after->state();
        // What libvirt shows while a job works is told when the job is through.
        const bool is_observed = after && !after->transition && after->intent == VmIntent::kept;
        if (is_observed) {
            change.reason = after->observed_reason;
            change.at = after->observed_at;
        }
        change.by_job = !is_observed || !before || before->transition;
        const bool has_news = is_observed && before && before->observed_reason != after->observed_reason;
        if (change.before != change.after || has_news) changes_.push_back(std::move(change));
    }
}

#define HVAGENT_STORED(T)                                                                \
    template void Inventory::insert<T>(T);                                               \
    template std::optional<T> Inventory::find<T>(const IdOf<T>&) const;                  \
    template T Inventory::get<T>(const IdOf<T>&) const;                                  \
    template std::vector<T> Inventory::list<T>(const Where&) const;                      \
    template std::int64_t Inventory::count<T>(const Where&) const;                       \
    template T Inventory::modify<T>(const IdOf<T>&, const std::function<void(T&)>&);     \
    template bool Inventory::observe<T>(const IdOf<T>&, const std::function<void(T&)>&); \
    template void Inventory::remove<T>(const IdOf<T>&)
HVAGENT_STORED(Vm);
HVAGENT_STORED(VmNic);
HVAGENT_STORED(VmCdRom);
HVAGENT_STORED(Image);
HVAGENT_STORED(ImageRef);
HVAGENT_STORED(Volume);
HVAGENT_STORED(ShareableVolumeRef);
HVAGENT_STORED(VolumeSnapshot);
HVAGENT_STORED(SnapshotTree);
HVAGENT_STORED(Scheduler);
HVAGENT_STORED(PrimaryStorage);
HVAGENT_STORED(BackupStorage);
HVAGENT_STORED(Zone);
HVAGENT_STORED(Cluster);
HVAGENT_STORED(Host);
HVAGENT_STORED(Peer);
HVAGENT_STORED(L2Network);
HVAGENT_STORED(L3Network);
HVAGENT_STORED(IpRange);
HVAGENT_STORED(UsedIp);
HVAGENT_STORED(InstanceOffering);
HVAGENT_STORED(DiskOffering);
HVAGENT_STORED(Migration);
HVAGENT_STORED(Attachment);
HVAGENT_STORED(NetworkService);
HVAGENT_STORED(Tag);
HVAGENT_STORED(Account);
#undef HVAGENT_STORED

}  // namespace hvagent::inventory
