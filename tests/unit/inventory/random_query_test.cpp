// Random conditions over random VMs: SQL and a naive evaluation in memory must find the same.
#include <algorithm>
#include <functional>
#include <random>

#include "tests/unit/inventory/fixture.h"

namespace hvagent::inventory {
namespace {

using Value = std::optional<std::string>;

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

std::size_t character_length(const std::string& text, std::size_t at) {
    std::size_t length = 1;
    while (at + length < text.size() && (static_cast<unsigned char>(text[at + length]) & 0xc0) == 0x80) ++length;
    return length;
}

bool is_like(const std::string& text, std::size_t t, const std::string& pattern, std::size_t p) {
    if (p == pattern.size()) return t == text.size();
    if (pattern[p] == '%') {
        for (std::size_t at = t; at <= text.size(); ++at)
            if (is_like(text, at, pattern, p + 1)) return true;
        return false;
    }
    if (t == text.size()) return false;
    if (pattern[p] == '_') return is_like(text, t + character_length(text, t), pattern, p + 1);
    return pattern[p] == text[t] && is_like(text, t + 1, pattern, p + 1);
}

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> items;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(',', at), text.size());
        items.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return items;
}

struct Asked {
    std::string name;
    std::string comparison;  // as written
    std::string value;
    bool is_number = false;
};

int compare(const Asked& asked, const std::string& left, const std::string& right) {
    if (asked.is_number) {
        const double a = std::stod(left);
        const double b = std::stod(right);
        return a < b ? -1 : a > b ? 1 : 0;
    }
    const int order = lower(left).compare(lower(right));
    return order < 0 ? -1 : order > 0 ? 1 : 0;
}

bool is_any(const Asked& asked, const std::string& value) {
    const std::vector<std::string> items = split(asked.value);
    return std::any_of(items.begin(), items.end(),
                       [&](const std::string& item) { return compare(asked, value, item) == 0; });
}

bool holds(const Asked& asked, const Value& value) {
    if (asked.comparison == " is null" || (asked.comparison == "=" && asked.value == "null")) return !value;
    if (asked.comparison == " not null" || (asked.comparison == "!=" && asked.value == "null")) return value.has_value();
    if (!value) return false;
    if (asked.comparison == "=") return compare(asked, *value, asked.value) == 0;
    if (asked.comparison == "!=") return compare(asked, *value, asked.value) != 0;
    if (asked.comparison == ">") return compare(asked, *value, asked.value) > 0;
    if (asked.comparison == "<") return compare(asked, *value, asked.value) < 0;
    if (asked.comparison == ">=") return compare(asked, *value, asked.value) >= 0;
    if (asked.comparison == "<=") return compare(asked, *value, asked.value) <= 0;
    if (asked.comparison == "?=") return is_any(asked, *value);
    if (asked.comparison == "!?=") return !is_any(asked, *value);
    if (asked.comparison == "~=") return is_like(lower(*value), 0, lower(asked.value), 0);
    return !is_like(lower(*value), 0, lower(asked.value), 0);
}

struct RandomVm {
    std::string uuid;
    Value name;
    Value description;
    int cpus;
    std::string state;
    int zone;  // -1: none
    std::vector<Value> ips;
    std::vector<std::string> tags;  // user tags
};

class RandomQueries : public StoreTest {
protected:
    int below(int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); }
    template <class T>
    const T& one_of(const std::vector<T>& list) {
        return list[static_cast<std::size_t>(below(static_cast<int>(list.size())))];
    }
    // Short texts over few letters, so that they meet.
    std::string text() {
        std::string made;
        for (int i = below(3) + 1; i > 0; --i) made += one_of(letters);
        return made;
    }
    Value text_or_none() { return below(4) == 0 ? Value() : Value(text()); }

    void make_world() {
        zone_names = {text(), text()};
        for (int i = 0; i < 2; ++i) {
            Zone place;
            place.uuid = ZoneId(uuid(900 + i));
            place.name = zone_names[static_cast<std::size_t>(i)];
            inventory.insert(place);
        }
        for (int i = 0; i < 30; ++i) add(random_vm(i + 1));
    }
    RandomVm random_vm(int number) {
        RandomVm made{uuid(number),
                      text_or_none(),
                      text_or_none(),
                      below(12) + 1,
                      one_of<std::string>({"Running", "Stopped", "Paused"}),
                      below(3) - 1,
                      {},
                      {}};
        for (int i = below(3); i > 0; --i) made.ips.push_back(text_or_none());
        for (int i = below(3); i > 0; --i)
            if (const std::string tag = text(); std::find(made.tags.begin(), made.tags.end(), tag) == made.tags.end())
                made.tags.push_back(tag);
        return made;
    }
    void add(const RandomVm& made) {
        Vm vm;
        vm.uuid = VmId(made.uuid);
        vm.name = made.name.value_or("");
        vm.description = made.description.value_or("");
        vm.cpus = made.cpus;
        vm.observed = *parse_enum<VmState>(made.state);
        if (made.zone >= 0) vm.zone = ZoneId(uuid(900 + made.zone));
        inventory.insert(vm);
        for (const Value& ip : made.ips) {
            VmNic nic;
            nic.uuid = NicId::make();
            nic.vm = vm.uuid;
            nic.ip = ip.value_or("");
            inventory.insert(nic);
        }
        for (const std::string& tag : made.tags) inventory.add_tag("VmInstance", made.uuid, tag, "User");
        vms.push_back(made);
    }

    Asked random_condition() {
        Asked asked;
        asked.name =
            one_of<std::string>({"name", "description", "cpuNum", "state", "zone.name", "vmNics.ip", "__userTag__"});
        asked.comparison =
            one_of<std::string>({"=", "!=", ">", "<", ">=", "<=", "?=", "!?=", "~=", "!~=", " is null", " not null"});
        asked.is_number = asked.name == "cpuNum" && asked.comparison.find('~') == std::string::npos;
        if (asked.comparison.find("null") != std::string::npos) return asked;
        asked.value = random_value(asked);
        if (asked.comparison.find('?') != std::string::npos)
            for (int i = below(3); i > 0; --i) asked.value += "," + random_value(asked);
        if (asked.comparison.find('~') != std::string::npos)
            for (int i = below(3); i > 0; --i)
                asked.value.insert(below(2) == 0 ? 0 : asked.value.size(), one_of<std::string>({"%", "_"}));
        return asked;
    }
    std::string random_value(const Asked& asked) {
        if (asked.name == "cpuNum")
            return std::to_string(below(14)) + (asked.is_number ? one_of<std::string>({"", ".0", ".5"}) : "");
        if (asked.name == "state") return one_of<std::string>({"Running", "stopped", "Crashed", "S"});
        const std::string value = text();
        return value[0] == '=' ? "a" + value : value;  // ">" and "=x" would read as ">="
    }

    bool expects(const Asked& asked, const RandomVm& vm) {
        const auto some = [&](const auto& values, const Asked& test) {
            return std::any_of(values.begin(), values.end(), [&](const Value& value) { return holds(test, value); });
        };
        if (asked.name == "name") return holds(asked, vm.name);
        if (asked.name == "description") return holds(asked, vm.description);
        if (asked.name == "cpuNum") return holds(asked, std::to_string(vm.cpus));
        if (asked.name == "state") return holds(asked, vm.state);
        if (asked.name == "zone.name") return vm.zone >= 0 && holds(asked, zone_names[static_cast<std::size_t>(vm.zone)]);
        if (asked.name == "vmNics.ip") return some(vm.ips, asked);
        if (asked.comparison == " is null") return vm.tags.empty();
        if (asked.comparison == " not null") return !vm.tags.empty();
        if (asked.comparison[0] != '!') return some(vm.tags, asked);
        Asked positive = asked;
        positive.comparison.erase(0, 1);
        return !some(vm.tags, positive);
    }

    const std::vector<std::string> letters = {"a", "B", "b", "虚", "%", "_", "'", " ", "\"", "=", "ü"};
    std::mt19937 random;
    std::vector<std::string> zone_names;
    std::vector<RandomVm> vms;
};

TEST_F(RandomQueries, FindWhatANaiveEvaluationFinds) {
    const char* given = std::getenv("HVAGENT_TEST_SEED");
    const unsigned seed = given ? static_cast<unsigned>(std::stoul(given)) : std::random_device()();
    SCOPED_TRACE("HVAGENT_TEST_SEED=" + std::to_string(seed));
    random.seed(seed);
    make_world();
    int found_some = 0;
    for (int round = 0; round < 1500 && !HasFailure(); ++round) {
        std::vector<Asked> all;
        for (int i = below(3) + 1; i > 0; --i) all.push_back(random_condition());
        api::QueryRequest request;
        for (const Asked& asked : all) request.conditions.push_back(asked.name + asked.comparison + asked.value);
        request.fields = {"uuid"};
        request.reply_with_count = true;
        std::vector<std::string> expected;
        for (const RandomVm& vm : vms)
            if (std::all_of(all.begin(), all.end(), [&](const Asked& asked) { return expects(asked, vm); }))
                expected.push_back(vm.uuid);
        std::vector<std::string> found;
        const json answer = inventory.query("VmInstance", request);
        for (const json& one : answer["inventories"]) found.push_back(one["uuid"]);
        EXPECT_EQ(found, expected) << testing::PrintToString(request.conditions);
        EXPECT_EQ(answer["total"], expected.size());
        found_some += expected.empty() ? 0 : 1;
    }
    EXPECT_GT(found_some, 300);  // the conditions are not all void
}

}  // namespace
}  // namespace hvagent::inventory
