// Reads the Authorization header and asks the identity who that is (rest-conventions, section 2).
#pragma once
#include <string>

#include "agent/http/transport/message.h"

namespace hvagent::identity {
class Identity;
}

namespace hvagent::http {

struct Caller {
    std::string account;  // uuid
    std::string session;  // uuid; empty with an access key
};

// Error(bad_request): no header, unknown scheme; Error(request_time_skewed); Error(invalid_session) and
// Error(authentication_failed), which belong into the answer of the operation.
Caller authenticate(const Request& request, identity::Identity& identity);

}  // namespace hvagent::http
