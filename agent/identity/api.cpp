#include "agent/identity/api.h"

#include "agent/api/operation.h"
#include "agent/api/query_request.h"
#include "agent/identity/identity.h"
#include "agent/inventory/list_query.h"

namespace hvagent {

namespace identity {
enum class StateEvent { enable, disable };
}
template <>
struct EnumNames<identity::StateEvent> {
    static constexpr auto names = enum_names<identity::StateEvent>(
        {{identity::StateEvent::enable, "enable"}, {identity::StateEvent::disable, "disable"}});
};

}  // namespace hvagent

namespace hvagent::identity {
namespace {

using api::Call;
using api::FieldType;
using api::In;
using api::json;
using api::Method;
using api::Operation;
using api::QueryRequest;
using api::ResourceShape;
using api::Row;
using api::ShapeField;

struct LogIn {
    std::string account_name;
    std::string account_uuid;
    std::string user_name;
    std::string password;
};
struct OfSession {
    std::string session;
    std::int64_t duration_s = 7200;
};
struct UpdateAccount {
    std::string uuid;
    std::string password;
    std::optional<std::string> old_password;
};
struct CreateAccessKey {
    std::string account;
    std::string user;
    std::string description;
    std::string key_id;
    std::string secret;
    std::string uuid;
};
struct OfAccessKey {
    std::string uuid;
    StateEvent event = StateEvent::enable;
    std::string delete_mode;
};

ShapeField text(std::string name, std::string doc, bool always = true) {
    return {std::move(name), FieldType::text, {}, true, always, std::move(doc)};
}
ShapeField time_of(std::string name, std::string doc) {
    return {std::move(name), FieldType::time, {}, true, true, std::move(doc)};
}

const ResourceShape& session_shape() {
    static const ResourceShape shape{"Session",
                                     "org.zstack.header.identity.SessionInventory",
                                     "",
                                     {text("uuid", "what the Authorization header carries"),
                                      text("accountUuid", "who is logged in"), text("userUuid", "the same as accountUuid"),
                                      time_of("expiredDate", "when it ends"), time_of("createDate", "when it began")},
                                     {},
                                     {},
                                     {}};
    return shape;
}

const ResourceShape& account_shape() {
    static const ResourceShape shape{"Account",
                                     "org.zstack.header.identity.AccountInventory",
                                     "",
                                     {text("uuid", ""), text("name", "admin is the only one"), text("type", "SystemAdmin"),
                                      text("state", "Enabled"), time_of("createDate", ""), time_of("lastOpDate", "")},
                                     {},
                                     {},
                                     {}};
    return shape;
}

const ResourceShape& access_key_shape() {
    static const ResourceShape shape{
        "AccessKey",
        "org.zstack.header.identity.AccessKeyInventory",
        "",
        {text("uuid", ""),
         text("description", "", false),
         text("accountUuid", "whose key it is"),
         text("userUuid", "the same as accountUuid"),
         text("AccessKeyID", "names the key in the Authorization header"),
         {"AccessKeySecret", FieldType::text, {}, false, false, "signs requests; shown once, when the key is created"},
         {"state", FieldType::text, {"Enabled", "Disabled"}, true, true, "a disabled key signs nothing"},
         time_of("createDate", ""),
         time_of("lastOpDate", "")},
        {},
        {},
        {}};
    return shape;
}

json answer_with(const Session& session) {
    return {{"inventory", inventory::view_of(session_shape(), {{"uuid", session.uuid},
                                                               {"accountUuid", session.account},
                                                               {"userUuid", session.account},
                                                               {"expiredDate", to_unix_ms(session.expires)},
                                                               {"createDate", to_unix_ms(session.created)}})}};
}

json record_of_account(const Identity& identity) {
    return {{"uuid", admin_uuid},
            {"name", admin_name},
            {"type", "SystemAdmin"},
            {"state", "Enabled"},
            {"createDate", to_unix_ms(identity.admin_created())},
            {"lastOpDate", to_unix_ms(identity.admin_changed())}};
}

json record_of(const AccessKey& key) {
    json record = {{"uuid", key.uuid},
                   {"accountUuid", key.account},
                   {"userUuid", key.user},
                   {"AccessKeyID", key.id},
                   {"state", key.enabled ? "Enabled" : "Disabled"},
                   {"createDate", to_unix_ms(key.created)},
                   {"lastOpDate", to_unix_ms(key.last_op)}};
    if (!key.description.empty()) record["description"] = key.description;
    return record;
}

void check_is_admin(const char* parameter, const std::string& uuid) {
    if (uuid != admin_uuid)
        throw Error(Code::not_found, std::string("parameter '") + parameter + "': there is no account with uuid \"" + uuid +
                                         "\"; the only one is " + std::string(admin_uuid));
}

Row log_in_by_account(Identity& identity) {
    return Operation<LogIn>{"LogInByAccount", Method::put, "/accounts/login", "Log in and get a session"}
        .action("logInByAccount", {"loginByAccount"})
        .required(In::body, "accountName", &LogIn::account_name, "admin")
        .max_length(255)
        .required(In::body, "password", &LogIn::password, "lower-case hex SHA-512 of the password")
        .max_length(1024)
        .secret()
        .needs_no_session()
        .returns("inventory", "Session")
        .answers([&identity](const Call& call, const LogIn& login) {
            return answer_with(identity.log_in(login.account_name, login.password, call.client_address));
        });
}

Row log_in_by_user() {
    return Operation<LogIn>{"LogInByUser", Method::put, "/accounts/users/login",
                            "Log in as a user of an account; there are none here"}
        .action("logInByUser")
        .optional(In::body, "accountName", &LogIn::account_name, "the account of the user")
        .optional(In::body, "accountUuid", &LogIn::account_uuid, "the account of the user")
        .required(In::body, "userName", &LogIn::user_name, "the user")
        .required(In::body, "password", &LogIn::password, "lower-case hex SHA-512 of the password")
        .secret()
        .needs_no_session()
        .returns("inventory", "Session")
        .answers([](const Call&, const LogIn& login) -> json {
            throw Error(Code::authentication_failed,
                        "there is no user \"" + login.user_name.substr(0, 64) +
                            "\": this agent has only the account admin; log in with logInByAccount");
        });
}

Row log_out(Identity& identity) {
    return Operation<OfSession>{"LogOut", Method::del, "/accounts/sessions/{sessionUuid}", "End a session"}
        .required(In::url, "sessionUuid", &OfSession::session, "the session")
        .secret()
        .needs_no_session()
        .answers([&identity](const Call&, const OfSession& params) {
            identity.sessions().close(params.session);
            return json::object();
        });
}

Row validate_session(Identity& identity) {
    return Operation<OfSession>{"ValidateSession", Method::get, "/accounts/sessions/{sessionUuid}/valid",
                                "Tell whether a session is valid"}
        .required(In::url, "sessionUuid", &OfSession::session, "the session")
        .secret()
        .needs_no_session()
        .returns_value("valid", {{"type", "boolean"}})
        .answers([&identity](const Call&, const OfSession& params) {
            return json{{"valid", identity.sessions().find(params.session).has_value()}};
        });
}

Row renew_session(Identity& identity) {
    return Operation<OfSession>{"RenewSession", Method::put, "/accounts/sessions/{sessionUuid}/renew",
                                "Let a session last longer"}
        .action("renewSession")
        .required(In::url, "sessionUuid", &OfSession::session, "the session")
        .secret()
        .optional(In::body, "duration", &OfSession::duration_s, "seconds from now")
        .range(60, 31536000)
        .returns("inventory", "Session")
        .answers([&identity](const Call&, const OfSession& params) {
            return answer_with(identity.sessions().renew(params.session, seconds(params.duration_s)));
        });
}

// Answers at once, so that no job keeps the password.
Row update_account(Identity& identity) {
    return Operation<UpdateAccount>{"UpdateAccount", Method::put, "/accounts/{uuid}", "Change the password of the account"}
        .action("updateAccount")
        .required(In::url, "uuid", &UpdateAccount::uuid, "the account")
        .required(In::body, "password", &UpdateAccount::password, "lower-case hex SHA-512 of the new password")
        .max_length(255)
        .not_empty()
        .secret()
        .optional(In::body, "oldPassword", &UpdateAccount::old_password, "the one in use; refused when it is not")
        .max_length(255)
        .secret()
        .refuses("name", "the one account is called admin")
        .refuses("description", "the one account has none")
        .returns("inventory", "Account")
        .answers([&identity](const Call& call, const UpdateAccount& params) {
            check_is_admin("uuid", params.uuid);
            if (params.password.empty()) throw Error(Code::invalid_argument, "parameter 'password' must not be empty");
            identity.change_admin_password(params.password, params.old_password, call.session);
            return json{{"inventory", inventory::view_of(account_shape(), record_of_account(identity))}};
        });
}

Row query_account(Identity& identity) {
    return api::query_operation("QueryAccount", "Account", "/accounts", "Find accounts",
                                [&identity](const std::string&, const QueryRequest& request) {
                                    return inventory::query_list(account_shape(), {record_of_account(identity)}, request);
                                });
}

Row create_access_key(Identity& identity) {
    return Operation<CreateAccessKey>{"CreateAccessKey", Method::post, "/accesskeys", "Make a key that signs requests"}
        .required(In::body, "accountUuid", &CreateAccessKey::account, "the account")
        .required(In::body, "userUuid", &CreateAccessKey::user, "the same as accountUuid")
        .optional(In::body, "description", &CreateAccessKey::description, "what it is for")
        .max_length(2048)
        .optional(In::body, "AccessKeyID", &CreateAccessKey::key_id, "10 to 20 characters; made by the agent when absent")
        .max_length(20)
        .optional(In::body, "AccessKeySecret", &CreateAccessKey::secret,
                  "10 to 40 characters; made by the agent when absent")
        .max_length(40)
        .secret()
        .optional(In::body, "resourceUuid", &CreateAccessKey::uuid, "uuid of the new key; made by the agent when absent")
        .max_length(32)
        .returns("inventory", "AccessKey")
        .fails_as(Code::create_failed)
        .runs_as_job(api::no_queue<CreateAccessKey>(), [&identity](Job& job, const CreateAccessKey& params) {
            check_is_admin("accountUuid", params.account);
            check_is_admin("userUuid", params.user);
            for (const auto& [name, value] :
                 {std::pair("AccessKeyID", params.key_id), std::pair("AccessKeySecret", params.secret)})
                if (!value.empty() && value.size() < 10)
                    throw Error(Code::invalid_argument,
                                std::string("parameter '") + name + "' must have at least 10 characters");
            // A job that runs again after a crash finds the key it made, because its uuid is the job's.
            const std::string uuid = params.uuid.empty() ? job.id().str() : params.uuid;
            const AccessKey key = identity.access_keys().create(
                {uuid, params.key_id, params.secret, params.account, params.user, params.description, true, {}, {}});
            json record = record_of(key);
            record["AccessKeySecret"] = key.secret;
            return json{{"inventory", inventory::view_of(access_key_shape(), record)}};
        });
}

Row delete_access_key(Identity& identity) {
    return Operation<OfAccessKey>{"DeleteAccessKey", Method::del, "/accesskeys/{uuid}", "Delete an access key"}
        .required(In::url, "uuid", &OfAccessKey::uuid, "the key")
        .optional(In::query, "deleteMode", &OfAccessKey::delete_mode, "makes no difference here")
        .values({"Permissive", "Enforcing"})
        .runs_as_job(api::no_queue<OfAccessKey>(), [&identity](Job&, const OfAccessKey& params) {
            identity.access_keys().remove(params.uuid);
            return json::object();
        });
}

Row change_access_key_state(Identity& identity) {
    return Operation<OfAccessKey>{"ChangeAccessKeyState", Method::put, "/accesskeys/{uuid}/actions",
                                  "Enable or disable an access key"}
        .action("changeAccessKeyState")
        .required(In::url, "uuid", &OfAccessKey::uuid, "the key")
        .required(In::body, "stateEvent", &OfAccessKey::event, "what to do")
        .returns("inventory", "AccessKey")
        .fails_as(Code::change_state_failed)
        .runs_as_job(api::no_queue<OfAccessKey>(), [&identity](Job&, const OfAccessKey& params) {
            const AccessKey key = identity.access_keys().set_enabled(params.uuid, params.event == StateEvent::enable);
            return json{{"inventory", inventory::view_of(access_key_shape(), record_of(key))}};
        });
}

Row query_access_key(Identity& identity) {
    return api::query_operation("QueryAccessKey", "AccessKey", "/accesskeys", "Find access keys",
                                [&identity](const std::string&, const QueryRequest& request) {
                                    std::vector<json> records;
                                    for (const AccessKey& key : identity.access_keys().list())
                                        records.push_back(record_of(key));
                                    return inventory::query_list(access_key_shape(), std::move(records), request);
                                });
}

}  // namespace

api::Table identity_api(Identity& identity) {
    return {log_in_by_account(identity),
            log_in_by_user(),
            log_out(identity),
            validate_session(identity),
            renew_session(identity),
            update_account(identity),
            query_account(identity),
            create_access_key(identity),
            delete_access_key(identity),
            query_access_key(identity),
            change_access_key_state(identity)};
}

std::vector<ResourceShape> identity_shapes() {
    return {session_shape(), account_shape(), access_key_shape()};
}

}  // namespace hvagent::identity
