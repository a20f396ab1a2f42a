// The Date of a request signed with an access key. Clients write it in many ways and mostly in their own zone, while the
// real server compares clock faces; so every plausible reading counts.
#pragma once
#include <string_view>

#include "hvagent/clock.h"

namespace hvagent::identity {

// "Tue, 03 Jun 2025 10:11:12 CST" (or GMT, Z, +0800, +08:00, GMT+08:00, Asia/Shanghai...), "2025-06-05T16:08:42.123+08:00".
// True when some reading of `text` lies within `tolerance` of `now`. Where the zone is only a name we do not know, each
// offset that is in use somewhere is a reading. Error(bad_request) when it is no date.
bool is_near(std::string_view text, Time now, seconds tolerance);

}  // namespace hvagent::identity
