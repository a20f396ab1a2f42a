// How each C++ type is read from, and described in, JSON. Values from URLs arrive as texts, numbers from some clients as
// doubles ("2.0") or numeric texts: all are accepted (rest-conventions 7.2.5).
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "hvagent/enum_names.h"
#include "hvagent/error.h"
#include "hvagent/ids.h"

namespace hvagent::api {

using nlohmann::json;

// Error(bad_request): "parameter 'cpuNum' must be an integer, but is \"two\"".
[[noreturn]] void refuse_type(std::string_view name, std::string_view expected, const json& value);
std::int64_t parse_integer(const json& value, std::string_view name);
bool parse_boolean(const json& value, std::string_view name);
double parse_real(const json& value, std::string_view name);
std::string parse_string(const json& value, std::string_view name);

// The resource an id names ("VmInstance"), for existence checks, queues and documentation.
template <class Id>
struct ResourceOf;
#define HVAGENT_RESOURCE(id, resource_name)                     \
    template <>                                                 \
    struct ResourceOf<id> {                                     \
        static constexpr std::string_view name = resource_name; \
    }
HVAGENT_RESOURCE(AccountId, "Account");
HVAGENT_RESOURCE(BackupStorageId, "BackupStorage");
HVAGENT_RESOURCE(CdRomId, "VmCdRom");
HVAGENT_RESOURCE(ClusterId, "Cluster");
HVAGENT_RESOURCE(DiskOfferingId, "DiskOffering");
HVAGENT_RESOURCE(HostId, "Host");
HVAGENT_RESOURCE(ImageId, "Image");
HVAGENT_RESOURCE(InstanceOfferingId, "InstanceOffering");
HVAGENT_RESOURCE(IpRangeId, "IpRange");
HVAGENT_RESOURCE(L2NetworkId, "L2Network");
HVAGENT_RESOURCE(L3NetworkId, "L3Network");
HVAGENT_RESOURCE(NicId, "VmNic");
HVAGENT_RESOURCE(PrimaryStorageId, "PrimaryStorage");
HVAGENT_RESOURCE(SnapshotId, "VolumeSnapshot");
HVAGENT_RESOURCE(TagId, "Tag");
HVAGENT_RESOURCE(VmId, "VmInstance");
HVAGENT_RESOURCE(VolumeId, "Volume");
HVAGENT_RESOURCE(ZoneId, "Zone");
#undef HVAGENT_RESOURCE

// parse: any accepted spelling -> value; to_json: canonical form; schema: for OpenAPI; resource: "" unless an id.
template <class T>
struct ParamType;

template <>
struct ParamType<std::string> {
    static std::string parse(const json& value, std::string_view name) { return parse_string(value, name); }
    static json to_json(const std::string& value) { return value; }
    static json schema() { return {{"type", "string"}}; }
    static constexpr std::string_view resource = "";
};

template <>
struct ParamType<bool> {
    static bool parse(const json& value, std::string_view name) { return parse_boolean(value, name); }
    static json to_json(bool value) { return value; }
    static json schema() { return {{"type", "boolean"}}; }
    static constexpr std::string_view resource = "";
};

template <>
struct ParamType<std::int64_t> {
    static std::int64_t parse(const json& value, std::string_view name) { return parse_integer(value, name); }
    static json to_json(std::int64_t value) { return value; }
    static json schema() { return {{"type", "integer"}, {"format", "int64"}}; }
    static constexpr std::string_view resource = "";
};

template <>
struct ParamType<int> {
    static int parse(const json& value, std::string_view name) {
        const std::int64_t wide = parse_integer(value, name);
        if (wide < INT32_MIN || wide > INT32_MAX) refuse_type(name, "a 32-bit integer", value);
        return static_cast<int>(wide);
    }
    static json to_json(int value) { return value; }
    static json schema() { return {{"type", "integer"}, {"format", "int32"}}; }
    static constexpr std::string_view resource = "";
};

// Any JSON value, taken as it is.
template <>
struct ParamType<json> {
    static json parse(const json& value, std::string_view) { return value; }
    static json to_json(const json& value) { return value; }
    static json schema() { return json::object(); }
    static constexpr std::string_view resource = "";
};

template <class Tag>
struct ParamType<Id<Tag>> {
    static Id<Tag> parse(const json& value, std::string_view name) { return Id<Tag>(parse_string(value, name)); }
    static json to_json(const Id<Tag>& value) { return value.str(); }
    static json schema() { return {{"type", "string"}, {"pattern", "^[0-9a-f]{32}$"}}; }
    static constexpr std::string_view resource = ResourceOf<Id<Tag>>::name;
};

// An unknown name stays text in the canonical form and is refused by the second pass, with the list of names.
template <NamedEnum E>
struct ParamType<E> {
    static E parse(const json& value, std::string_view name) {
        const std::string text = parse_string(value, name);
        if (const auto found = parse_enum<E>(text)) return *found;
        std::string expected;
        for (const auto& [e, known] : EnumNames<E>::names) expected += (expected.empty() ? "" : ", ") + std::string(known);
        throw Error(Code::invalid_argument,
                    "parameter '" + std::string(name) + "' must be one of " + expected + ", but is \"" + text + "\"");
    }
    static json to_json(E value) { return std::string(hvagent::to_text(value)); }
    static json schema() {
        json values = json::array();
        for (const auto& [e, known] : EnumNames<E>::names) values.push_back(std::string(known));
        return {{"type", "string"}, {"enum", values}};
    }
    static constexpr std::string_view resource = "";
};

template <class T>
struct ParamType<std::optional<T>> {
    static std::optional<T> parse(const json& value, std::string_view name) { return ParamType<T>::parse(value, name); }
    static json to_json(const std::optional<T>& value) { return value ? ParamType<T>::to_json(*value) : json(); }
    static json schema() { return ParamType<T>::schema(); }
    static constexpr std::string_view resource = ParamType<T>::resource;
};

template <class T>
struct ParamType<std::vector<T>> {
    static std::vector<T> parse(const json& value, std::string_view name) {
        std::vector<T> list;
        if (value.is_array()) {
            for (const json& item : value) list.push_back(ParamType<T>::parse(item, name));
        } else if (value.is_object()) {
            refuse_type(name, "a list", value);
        } else {
            list.push_back(ParamType<T>::parse(value, name));  // a key that stands once in a query string
        }
        return list;
    }
    static json to_json(const std::vector<T>& list) {
        json out = json::array();
        for (const T& item : list) out.push_back(ParamType<T>::to_json(item));
        return out;
    }
    static json schema() { return {{"type", "array"}, {"items", ParamType<T>::schema()}}; }
    static constexpr std::string_view resource = ParamType<T>::resource;
};

template <class T>
struct ParamType<std::map<std::string, T>> {
    static std::map<std::string, T> parse(const json& value, std::string_view name) {
        if (!value.is_object()) refuse_type(name, "a map", value);
        std::map<std::string, T> map;
        for (const auto& [key, item] : value.items()) map.emplace(key, ParamType<T>::parse(item, name));
        return map;
    }
    static json to_json(const std::map<std::string, T>& map) {
        json out = json::object();
        for (const auto& [key, item] : map) out[key] = ParamType<T>::to_json(item);
        return out;
    }
    static json schema() { return {{"type", "object"}, {"additionalProperties", ParamType<T>::schema()}}; }
    static constexpr std::string_view resource = ParamType<T>::resource;
};

}  // namespace hvagent::api
