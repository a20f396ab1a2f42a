// How reports are put into words for a controller.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/reports/report.h"
#include "hvagent/drivers/http_client.h"

namespace hvagent::reports {

// One POST.
struct Letter {
    std::map<std::string, std::string> headers;
    std::string body;
};

// What a controller asks for in its answer.
struct Wish {
    bool snapshot = false;
    std::optional<std::int64_t> replay_from;
    std::string boot;  // of the number; empty: the present life
};

// The state of everything at one place in the log.
struct Picture {
    bool is_first = false;  // since the agent started, or since the controller was added
    std::int64_t position = 0;
    std::int64_t sequence = 0;  // the last report it contains
    bool lost_reports = false;  // what came between the last confirmed report and this has made room
    json host;
    json vms;
};

// Used by one thread.
class Dialect {
public:
    virtual ~Dialect() = default;
    // Consecutive reports of one life and one kind; `first_sequence` may be lower than the first one's number when reports
    // were passed over that this controller did not ask for.
    virtual std::vector<Letter> write(const std::vector<Report>& batch, std::int64_t first_sequence) = 0;
    virtual std::vector<Letter> write(const Picture& picture) = 0;
    virtual std::vector<Letter> write_heartbeat(const json& host, std::int64_t sequence) = 0;
    // True: what was written once must be sent as it is, it is not written again.
    virtual bool remembers() const { return false; }
    virtual bool is_taken(const HttpReply& reply) const { return reply.status >= 200 && reply.status < 300; }
    virtual Wish read(const HttpReply&) const { return {}; }
};

// `{"hostUuid","bootId","sequence","sentAt","kind",...}`: report.schema.json.
std::unique_ptr<Dialect> make_own_dialect(const Clock& clock, std::string host_uuid, std::string boot);
// ZStack's reverse reports to a send-command URL (kvmagent protocol, section 3), with its suppression rules.
std::unique_ptr<Dialect> make_zstack_dialect(std::string host_uuid);

}  // namespace hvagent::reports
