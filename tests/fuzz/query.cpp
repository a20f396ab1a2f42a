// The query language over a small store: "<resource>\n<query string of a URL>". What is answered as values and as text must
// be the same, a count must count what is listed, and no condition may become SQL that SQLite does not take.
#include "agent/http/arguments.h"
#include "agent/http/url.h"
#include "agent/inventory/inventory.h"
#include "drivers/sqlite/sqlite_database.h"
#include "tests/fuzz/judge.h"

using namespace hvagent;
using nlohmann::json;

namespace {

class SetClock final : public Clock {
public:
    Time now() const override { return from_unix_ms(1510669257123); }
    Moment moment() const override { return Moment(milliseconds(1510669257123)); }
};

std::string uuid(int number) {
    const std::string digits = std::to_string(number);
    return std::string(32 - digits.size(), '0') + digits;
}

class World {
public:
    World() {
        inventory_.migrate();
        for (int i = 0; i < 2; ++i) {
            Zone zone;
            zone.uuid = ZoneId(uuid(i + 1));
            zone.name = i ? "south" : "north";
            inventory_.insert(zone);
        }
        for (int i = 0; i < 6; ++i) add_vm(i);
    }
    // Any error but a refusal of what was asked ends the fuzzer.
    void ask(const std::string& resource, const std::string& asked) {
        try {
            answer(resource, asked);
        } catch (const Error& error) {
            // The contract's code of an unknown field is that of an internal error.
            const bool is_refusal =
                error.code() != Code::internal || error.details().find(" has no field ") != std::string::npos;
            if (!is_refusal || error.code() == Code::io_failed || error.details().empty()) std::abort();
        }
    }

private:
    void add_vm(int number) {
        Vm vm;
        vm.uuid = VmId(uuid(100 + number));
        vm.zone = ZoneId(uuid(number % 2 + 1));
        vm.name = std::string("vm_") + static_cast<char>('a' + number);
        vm.description = number % 3 ? "100% of \"it\"" : "";
        vm.cpus = number + 1;
        vm.memory = (number + 1) * GiB;
        vm.observed = number % 2 ? VmState::running : VmState::stopped;
        inventory_.insert(vm);
        VmNic nic;
        nic.uuid = NicId(uuid(200 + number));
        nic.vm = vm.uuid;
        nic.ip = "10.0.0." + std::to_string(number);
        inventory_.insert(nic);
        inventory_.add_tag("VmInstance", vm.uuid.str(), "colour::" + std::to_string(number % 2), "User");
    }
    void answer(const std::string& resource, const std::string& asked) {
        const api::Row row = api::query_operation(
            "Fuzz", resource, "/fuzz", "Asks",
            [this](const std::string& name, const api::QueryRequest& request) { return compare(name, request); });
        json arguments = json::object();
        for (const auto& [name, value] : http::parse_query(asked)) arguments[name].push_back(value);
        for (auto& [name, values] : arguments.items())
            if (values.size() == 1) values = json(values[0]);
        arguments = row.accept(http::known_fields(row, arguments));
        row.check(arguments);
        row.answer({}, arguments);
    }
    json compare(const std::string& resource, const api::QueryRequest& request) {
        const json values = inventory_.query(resource, request);
        if (json::parse(inventory_.query_text(resource, request)) != values) std::abort();
        if (!request.count && request.uuid.empty()) {
            if (values.at("inventories").size() > static_cast<std::size_t>(request.limit)) std::abort();
            api::QueryRequest all = request;
            all.count = true;
            const auto total = inventory_.query(resource, all).at("total").get<std::size_t>();
            if (request.reply_with_count && values.at("total") != total) std::abort();
            if (values.at("inventories").size() > total) std::abort();
        }
        return values;
    }

    SetClock clock_;
    SqliteDatabase database_{":memory:"};
    inventory::Inventory inventory_{database_, clock_};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static World world;
    const std::string input = text_of(data, size);
    const std::size_t line = input.find('\n');
    if (line == std::string::npos) return 0;
    // A resource that does not exist is no client's to name.
    const std::string resource = input.substr(0, line);
    for (const api::ResourceShape& shape : inventory::Inventory::shapes())
        if (shape.resource == resource) world.ask(resource, input.substr(line + 1));
    return 0;
}
