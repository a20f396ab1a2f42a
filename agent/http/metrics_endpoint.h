// Who may read /metrics, and its answer. Metrics name VMs and tell how busy they are: strangers get none.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "agent/http/settings.h"
#include "agent/http/transport/message.h"

namespace hvagent::identity {
class Identity;
}

namespace hvagent::http {

// The answer for who may not, or asks with another method than GET. A session, an access key and the token always may; a
// program of this host by the settings, but not when a proxy of this host asks for somebody else.
std::optional<Response> refuse_metrics(const Request& request, const HttpSettings& settings, identity::Identity& identity);

Response metrics_answer(const std::function<std::string()>& make_text);

}  // namespace hvagent::http
