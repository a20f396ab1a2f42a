#include "agent/reports/dialect.h"

namespace hvagent::reports {
namespace {

class OwnDialect final : public Dialect {
public:
    OwnDialect(const Clock& clock, std::string host_uuid, std::string boot)
        : clock_(clock), host_uuid_(std::move(host_uuid)), boot_(std::move(boot)) {}

    std::vector<Letter> write(const std::vector<Report>& batch, std::int64_t first_sequence) override {
        json body = envelope(batch.back().kind, batch.back().boot, batch.back().sequence);
        body["firstSequence"] = first_sequence;
        json items = json::array();
        for (const Report& report : batch) {
            json told = json::parse(report.items);
            for (json& item : told) items.push_back(std::move(item));
        }
        body[list_name(batch.back().kind)] = std::move(items);
        return {letter(body)};
    }

    std::vector<Letter> write(const Picture& picture) override {
        json body = envelope(picture.is_first ? "hostConnect" : "snapshot", boot_, picture.sequence);
        body["host"] = picture.host;
        body["vms"] = picture.vms;
        if (picture.lost_reports) body["lostReports"] = true;
        return {letter(body)};
    }

    std::vector<Letter> write_heartbeat(const json& host, std::int64_t sequence) override {
        json body = envelope("heartbeat", boot_, sequence);
        body["host"] = host;
        return {letter(body)};
    }

    Wish read(const HttpReply& reply) const override {
        const json answer = json::parse(reply.body, nullptr, false);
        Wish wish;
        if (!answer.is_object()) return wish;
        if (const auto found = answer.find("snapshot"); found != answer.end() && found->is_boolean())
            wish.snapshot = found->get<bool>();
        if (const auto found = answer.find("replayFrom"); found != answer.end() && found->is_number_integer())
            wish.replay_from = found->get<std::int64_t>();
        if (const auto found = answer.find("bootId"); found != answer.end() && found->is_string())
            wish.boot = found->get<std::string>();
        return wish;
    }

private:
    json envelope(std::string_view kind, const std::string& boot, std::int64_t sequence) const {
        return {{"hostUuid", host_uuid_},
                {"bootId", boot},
                {"sequence", sequence},
                {"sentAt", iso_time(clock_.now())},
                {"kind", std::string(kind)}};
    }
    static Letter letter(const json& body) {
        return {{{"Content-Type", "application/json"}}, body.dump(-1, ' ', false, json::error_handler_t::replace)};
    }

    const Clock& clock_;
    const std::string host_uuid_;
    const std::string boot_;
};

}  // namespace

std::unique_ptr<Dialect> make_own_dialect(const Clock& clock, std::string host_uuid, std::string boot) {
    return std::make_unique<OwnDialect>(clock, std::move(host_uuid), std::move(boot));
}

}  // namespace hvagent::reports
