// Bodies of requests: as JSON, as typed parameters, judged. What was accepted once must be accepted again as it was written.
#include "agent/http/arguments.h"
#include "agent/api/operation.h"
#include "hvagent/model/vm.h"
#include "tests/fuzz/judge.h"

using namespace hvagent;
using nlohmann::json;

namespace {

struct Wish {
    VmId vm;
    std::string name;
    StopType type = StopType::grace;
    Bytes size = 0;
    int count = 1;
    bool flag = false;
    std::vector<std::string> texts;
    std::vector<VmId> others;
    api::Tags tags;
};

api::Row make_row() {
    using api::In;
    return api::Operation<Wish>{"Fuzz", api::Method::post, "/fuzz/{uuid}", "Takes all kinds of parameters"}
        .required(In::url, "uuid", &Wish::vm, "an id")
        .required(In::body, "name", &Wish::name, "a text")
        .optional(In::body, "type", &Wish::type, "an enum")
        .optional(In::body, "size", &Wish::size, "bytes")
        .range(1, 1024)
        .optional(In::body, "count", &Wish::count, "a number")
        .optional(In::body, "flag", &Wish::flag, "a truth")
        .optional(In::body, "texts", &Wish::texts, "texts")
        .optional(In::body, "others", &Wish::others, "ids")
        .runs_as_job(api::queue_of(&Wish::vm), [](Job&, const Wish&) { return json::object(); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const api::Row row = make_row();
    judge([&] {
        const json body = http::parse_body(text_of(data, size));
        const json arguments = row.accept(http::known_fields(row, body.is_object() ? body : json::object()));
        if (row.accept(arguments) != arguments) std::abort();
        row.check(arguments);
        row.queues(arguments);
    });
    return 0;
}
