// The declaration of an operation: its row, written as a sentence.
//
//   api::Operation<StopVm>{"StopVmInstance", Method::put, "/vm-instances/{uuid}/actions", "Stop a VM"}
//       .action("stopVmInstance")
//       .required(In::url, "uuid", &StopVm::vm, "the VM")
//       .optional(In::body, "type", &StopVm::type, "grace asks the guest, cold pulls the plug")
//       .allowed_in({VmState::running, VmState::unknown}, Code::vm_stop)
//       .runs_as_job(queue_of(&StopVm::vm), [&ops](Job& job, const StopVm& p) { return ops.stop(job, p); })
//
// P is a plain struct whose members carry the defaults. An id parameter must name a resource that exists.
#pragma once
#include <memory>
#include <utility>

#include "agent/api/param_type.h"
#include "agent/api/row.h"

namespace hvagent::api {

// Tags of a create call; where an operation does not take them a request that brings some is refused.
struct Tags {
    std::vector<std::string> system;
    std::vector<std::string> user;
};

template <class P>
using QueueOf = std::function<std::vector<std::string>(const P&)>;

std::string queue_name(std::string_view resource, const std::string& uuid);

// The queue of the resources these members name; empty ids and lists name none.
template <class P, class... Ids>
QueueOf<P> queue_of(Id<Ids> P::*... members) {
    return [members...](const P& params) {
        std::vector<std::string> queues;
        const auto add = [&queues]<class I>(const I& id) {
            if (!id.empty()) queues.push_back(queue_name(ResourceOf<I>::name, id.str()));
        };
        (add(params.*members), ...);
        return queues;
    };
}

// For operations that touch nothing another job could touch.
template <class P>
QueueOf<P> no_queue() {
    return [](const P&) { return std::vector<std::string>{}; };
}

template <class P>
class Operation {
public:
    Operation(std::string name, Method method, std::string path, std::string summary) : rules_(std::make_shared<Rules>()) {
        row_.name = std::move(name);
        row_.method = method;
        row_.paths.push_back(std::move(path));
        row_.summary = std::move(summary);
        if (method == Method::post) row_.body_key = "params";
    }

    Operation& also_at(std::string path) {
        row_.paths.push_back(std::move(path));
        return *this;
    }
    // The key of the body's object that names the operation on a shared path.
    Operation& action(std::string key, std::vector<std::string> aliases = {}) {
        row_.body_key = std::move(key);
        row_.body_key_aliases = std::move(aliases);
        return *this;
    }
    template <class T>
    Operation& required(In in, std::string name, T P::*member, std::string doc) {
        return add(in, std::move(name), member, std::move(doc), true);
    }
    template <class T>
    Operation& optional(In in, std::string name, T P::*member, std::string doc) {
        return add(in, std::move(name), member, std::move(doc), false);
    }
    // The uuid of what is created; clients may choose it.
    template <class Tag>
    Operation& new_id(Id<Tag> P::*member, std::string name = "resourceUuid") {
        add(In::body, std::move(name), member, "uuid of the new resource; made by the agent when absent", false);
        row_.params.back().is_new_id = true;
        return *this;
    }
    Operation& takes_tags(Tags P::*member) {
        row_.takes_tags = true;
        using List = ParamType<std::vector<std::string>>;
        rules_->push_back(
            {"systemTags",
             [member](P& params, const json& value) { (params.*member).system = List::parse(value, "systemTags"); },
             {}});
        rules_->push_back(
            {"userTags",
             [member](P& params, const json& value) { (params.*member).user = List::parse(value, "userTags"); },
             {}});
        return *this;
    }

    // These apply to the parameter declared last.
    Operation& range(std::int64_t lowest, std::int64_t highest = INT64_MAX) {
        json& schema = row_.params.back().schema;
        schema["minimum"] = lowest;
        if (highest != INT64_MAX) schema["maximum"] = highest;
        return *this;
    }
    Operation& max_length(std::size_t characters) {
        row_.params.back().schema["maxLength"] = characters;
        return *this;
    }
    Operation& not_empty() {
        json& schema = row_.params.back().schema;
        schema[schema.value("type", "") == "array" ? "minItems" : "minLength"] = 1;
        return *this;
    }
    // An empty element of the list is a mistake of the client's, not the same as no list.
    Operation& elements_not_empty() {
        row_.params.back().schema["items"]["minLength"] = 1;
        return *this;
    }
    // A name people read: no control characters, no markup.
    Operation& is_name() {
        row_.params.back().schema["x-hvagent-name"] = true;
        return not_empty().max_length(255);
    }
    Operation& values(std::vector<std::string> allowed) {
        row_.params.back().schema["enum"] = std::move(allowed);
        return *this;
    }
    Operation& secret() {
        row_.params.back().secret = true;
        row_.params.back().trims = false;
        return *this;
    }
    // The id may name something that does not exist (any more).
    Operation& may_be_missing() {
        row_.params.back().resource.clear();
        return *this;
    }

    // A parameter of the contract that is not offered: a request that brings it is refused with this reason.
    Operation& refuses(std::string name, std::string why) {
        row_.refused.emplace_back(std::move(name), std::move(why));
        return *this;
    }
    // Deleting what is not there is a success.
    Operation& gone_is_success() {
        row_.gone_is_success = true;
        return *this;
    }
    // The states of the VM (the first parameter that is a VmId) in which this is legal; `failure` wraps every error.
    Operation& allowed_in(std::vector<VmState> states, Code failure) {
        for (const Param& param : row_.params)
            if (param.resource == "VmInstance") {
                row_.state_rule = StateRule{param.name, std::move(states)};
                break;
            }
        return fails_as(failure);
    }
    Operation& fails_as(Code failure) {
        row_.failure = failure;
        return *this;
    }
    Operation& returns(std::string key, std::string resource) {
        row_.returns.push_back({std::move(key), std::move(resource), false, false, {}});
        return *this;
    }
    Operation& returns_list(std::string key, std::string resource) {
        row_.returns.push_back({std::move(key), std::move(resource), true, false, {}});
        return *this;
    }
    Operation& returns_value(std::string key, json schema, bool always = true) {
        row_.returns.push_back({std::move(key), "", false, !always, std::move(schema)});
        return *this;
    }
    Operation& timeout(milliseconds limit) {
        row_.timeout = limit;
        return *this;
    }
    Operation& job_class(JobClass kind) {
        row_.job_class = kind;
        return *this;
    }
    Operation& is_query() {
        row_.is_query = true;
        return *this;
    }
    Operation& needs_no_session() {
        row_.needs_session = false;
        return *this;
    }

    // Ends the sentence: the work is a job (POST, PUT and DELETE of the contract).
    Row runs_as_job(QueueOf<P> queue, std::function<json(Job&, const P&)> handler) {
        row_.is_job = true;
        if (row_.timeout == Row().timeout) row_.timeout = std::chrono::minutes(30);
        const auto rules = rules_;
        row_.queues = [rules, queue](const json& arguments) { return queue(parse(*rules, arguments)); };
        row_.run = [rules, handler](Job& job, const json& arguments) { return handler(job, parse(*rules, arguments)); };
        return finish();
    }
    // Ends the sentence: the answer is given at once.
    Row answers(std::function<json(const Call&, const P&)> handler) {
        const auto rules = rules_;
        row_.answer = [rules, handler](const Call& call, const json& arguments) {
            return handler(call, parse(*rules, arguments));
        };
        return finish();
    }

private:
    struct Rule {
        std::string name;
        std::function<void(P&, const json&)> set;
        std::function<json(const json&)> canonical;
    };
    using Rules = std::vector<Rule>;

    static P parse(const Rules& rules, const json& arguments) {
        P params{};
        for (const Rule& rule : rules) {
            const auto found = arguments.find(rule.name);
            if (found != arguments.end() && !found->is_null()) rule.set(params, *found);
        }
        return params;
    }

    template <class T>
    Operation& add(In in, std::string name, T P::*member, std::string doc, bool is_required) {
        Param param;
        param.name = name;
        param.in = in;
        param.required = is_required;
        param.doc = std::move(doc);
        param.schema = ParamType<T>::schema();
        param.resource = std::string(ParamType<T>::resource);
        row_.params.push_back(std::move(param));
        rules_->push_back(
            {name, [member, name](P& params, const json& value) { params.*member = ParamType<T>::parse(value, name); },
             [name](const json& value) { return canonical_value<T>(value, name); }});
        return *this;
    }

    // Types are judged here; a wrong enum word is left to check().
    template <class T>
    static json canonical_value(const json& value, const std::string& name) {
        try {
            return ParamType<T>::to_json(ParamType<T>::parse(value, name));
        } catch (const Error& error) {
            if (error.code() != Code::invalid_argument) throw;
            return value;
        }
    }

    Row finish();

    Row row_;
    std::shared_ptr<Rules> rules_;
};

// The passes that need only declarations (operation.cpp).
json accept_arguments(const Row& row, const json& arguments,
                      const std::function<json(const std::string& name, const json& value)>& canonical);
void check_arguments(const Row& row, const json& arguments);

template <class P>
Row Operation<P>::finish() {
    const auto rules = rules_;
    Row declared = row_;  // without functions: what the passes read
    row_.accept = [declared, rules](const json& arguments) {
        return accept_arguments(declared, arguments, [&rules](const std::string& name, const json& value) {
            for (const Rule& rule : *rules)
                if (rule.name == name && rule.canonical) return rule.canonical(value);
            return ParamType<std::vector<std::string>>::to_json(ParamType<std::vector<std::string>>::parse(value, name));
        });
    };
    row_.check = [declared, rules](const json& arguments) {
        check_arguments(declared, arguments);
        parse(*rules, arguments);  // refuses unknown enum words, with the list of known ones
    };
    return std::move(row_);
}

}  // namespace hvagent::api
