// Who gets reports, and how far each has confirmed them.
#pragma once
#include <string>
#include <vector>

#include "agent/reports/report_log.h"

namespace hvagent::reports {

struct Controller {
    std::string uuid;
    std::string url;
    std::string token;  // secret; sent as "Authorization: Bearer", shown and logged nowhere
    std::string dialect = "hvagent";
    bool wants_jobs = false;
    bool is_configured = false;  // stands in the configuration file
    std::int64_t confirmed = 0;  // position of the last report it took
};

// Thread-safe.
class ControllerStore {
public:
    explicit ControllerStore(ReportLog& log) : log_(log) {}
    void open();
    std::vector<Controller> list() const;
    // A new one begins with what happens from now on; a known URL keeps its place in the log.
    Controller put(Controller controller);
    void remove(const std::string& uuid);
    void confirm(const std::string& uuid, std::int64_t position);

private:
    ReportLog& log_;
};

// Error(invalid_argument) names what is wrong with URL or dialect.
void check_controller(const Controller& controller);

}  // namespace hvagent::reports
