// The description of a stored struct: its table, and for each column the member it comes from. One list per struct gives
// the table's DDL, the statements that read and write it, and the own fields of its wire view.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "agent/api/resource_shape.h"
#include "hvagent/clock.h"
#include "hvagent/drivers/database.h"
#include "hvagent/enum_names.h"
#include "hvagent/ids.h"

namespace hvagent::inventory {

// The type of a record's key: an Id, or std::string for keys that never leave the store.
template <class T>
using IdOf = decltype(T::uuid);

struct Column {
    std::string name;  // of the wire ("memorySize"); of the member where it is not on the wire
    api::FieldType type = api::FieldType::text;
    std::vector<std::string> values;  // of an enum
    bool on_wire = true;
    bool identity = false;   // a lower-case uuid: compared byte for byte
    bool always = false;     // never NULL
    std::string expression;  // of a generated column; empty: stored as given
    std::string doc;
    SqlValue initial;  // in a fresh T: what old rows get when the column is added
};

struct Index {
    std::vector<std::string> columns;
    bool unique = false;
};

struct Table {
    std::string resource;  // "VmInstance"
    std::string name;      // "vm"
    std::vector<Column> columns;
    std::vector<Index> indices;

    const Column* find(std::string_view column) const;
};

// How a member type is stored. Empty ids and texts and unset times are NULL, so that `is null` means what the wire shows.
template <class M>
struct SqlType;

template <>
struct SqlType<std::string> {
    static SqlValue store(const std::string& value) { return value.empty() ? SqlValue(nullptr) : SqlValue(value); }
    static void load(std::string& value, const SqlRow& row, int column) { value = row.text(column); }
    static Column column() { return {}; }
};

template <class Tag>
struct SqlType<Id<Tag>> {
    static SqlValue store(const Id<Tag>& value) { return SqlType<std::string>::store(value.str()); }
    static void load(Id<Tag>& value, const SqlRow& row, int column) { value = Id<Tag>(row.text(column)); }
    static Column column() {
        Column column;
        column.identity = true;
        return column;
    }
};

template <class M>
requires std::is_integral_v<M>
struct SqlType<M> {
    static SqlValue store(M value) { return static_cast<std::int64_t>(value); }
    static void load(M& value, const SqlRow& row, int column) {
        if (!row.is_null(column)) value = static_cast<M>(row.integer(column));
    }
    static Column column() {
        Column column;
        column.type = std::is_same_v<M, bool> ? api::FieldType::boolean : api::FieldType::integer;
        column.always = true;
        return column;
    }
};

template <>
struct SqlType<Time> {
    static SqlValue store(Time value) { return value == Time{} ? SqlValue(nullptr) : SqlValue(to_unix_ms(value)); }
    static void load(Time& value, const SqlRow& row, int column) { value = from_unix_ms(row.integer(column)); }
    static Column column() {
        Column column;
        column.type = api::FieldType::time;
        return column;
    }
};

template <NamedEnum E>
struct SqlType<E> {
    static SqlValue store(E value) { return std::string(to_text(value)); }
    static void load(E& value, const SqlRow& row, int column) {
        if (const auto known = parse_enum<E>(row.text(column))) value = *known;
    }
    static Column column() {
        Column column;
        for (const auto& [e, name] : EnumNames<E>::names) column.values.emplace_back(name);
        column.always = true;
        return column;
    }
};

template <class M>
struct SqlType<std::optional<M>> {
    static SqlValue store(const std::optional<M>& value) { return value ? SqlType<M>::store(*value) : SqlValue(nullptr); }
    static void load(std::optional<M>& value, const SqlRow& row, int column) {
        value.reset();
        if (!row.is_null(column)) SqlType<M>::load(value.emplace(), row, column);
    }
    static Column column() {
        Column column = SqlType<M>::column();
        column.always = false;
        return column;
    }
};

template <class T>
class Record {
public:
    // The primary key comes first in every table; `key_on_wire` is false for keys that are ours alone.
    Record(std::string resource, std::string table, bool key_on_wire = true) {
        table_.resource = std::move(resource);
        table_.name = std::move(table);
        add("uuid", &T::uuid, key_on_wire, "");
        table_.columns.back().identity = true;
        table_.columns.back().always = true;
    }

    template <class M>
    Record& wire(std::string name, M T::*member, std::string doc = "") {
        return add(std::move(name), member, true, std::move(doc));
    }
    // Stored, never on the wire.
    template <class M>
    Record& internal(std::string name, M T::*member) {
        return add(std::move(name), member, false, "");
    }
    // On the wire, computed by SQL from other columns of the row.
    Record& generated(std::string name, std::string expression, std::vector<std::string> values) {
        Column column;
        column.name = std::move(name);
        column.expression = std::move(expression);
        column.values = std::move(values);
        column.always = true;
        table_.columns.push_back(std::move(column));
        return *this;
    }
    // The two every record ends with.
    Record& dates() {
        wire("createDate", &T::created);
        table_.columns.back().always = true;
        wire("lastOpDate", &T::last_op);
        table_.columns.back().always = true;
        return *this;
    }
    Record& index(std::vector<std::string> columns) {
        table_.indices.push_back({std::move(columns), false});
        return *this;
    }
    Record& unique(std::vector<std::string> columns) {
        table_.indices.push_back({std::move(columns), true});
        return *this;
    }

    // These apply to the member declared last.
    // A uuid that the struct keeps as plain text.
    Record& identity() {
        table_.columns.back().identity = true;
        return *this;
    }
    // 0 means that there is none: NULL in the store, absent on the wire.
    Record& absent_when_zero() {
        table_.columns.back().always = false;
        table_.columns.back().initial = nullptr;
        const auto store = members_.back().store;
        members_.back().store = [store](const T& record) {
            SqlValue value = store(record);
            return value == SqlValue(std::int64_t{0}) ? SqlValue(nullptr) : value;
        };
        return *this;
    }

    const Table& table() const { return table_; }

    // Stored columns only, in the order of the list; `load` expects a row selected in that order.
    SqlValues store(const T& record) const {
        SqlValues values;
        values.reserve(members_.size());
        for (const Member& member : members_) values.push_back(member.store(record));
        return values;
    }
    T load(const SqlRow& row) const {
        T record{};
        for (std::size_t i = 0; i < members_.size(); ++i) members_[i].load(record, row, static_cast<int>(i));
        return record;
    }

private:
    struct Member {
        std::function<SqlValue(const T&)> store;
        std::function<void(T&, const SqlRow&, int)> load;
    };

    template <class M>
    Record& add(std::string name, M T::*member, bool on_wire, std::string doc) {
        Column column = SqlType<M>::column();
        column.name = std::move(name);
        column.on_wire = on_wire;
        column.doc = std::move(doc);
        column.initial = SqlType<M>::store(T{}.*member);
        table_.columns.push_back(std::move(column));
        members_.push_back({[member](const T& record) { return SqlType<M>::store(record.*member); },
                            [member](T& record, const SqlRow& row, int at) { SqlType<M>::load(record.*member, row, at); }});
        return *this;
    }

    Table table_;
    std::vector<Member> members_;
};

}  // namespace hvagent::inventory
