// Tells in time that a certificate of the agent ends.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "hvagent/clock.h"
#include "hvagent/timer.h"

namespace hvagent::state {

// Looks once an hour, on the timer's thread: the files are small and local. Tells once for each line that is crossed (30,
// 14, 7, 3, 1 days, and the end), again after the agent was restarted, and again when the file was replaced.
class CertificateWatch {
public:
    struct File {
        std::string name;  // "[http] tls_cert"
        std::string path;
    };
    using Tell = std::function<void(const std::string& event, const std::string& details)>;

    CertificateWatch(Timer& timer, const Clock& clock, std::vector<File> files, Tell tell);
    void start();

private:
    void look();
    void look_at(const File& file);

    Timer& timer_;
    const Clock& clock_;
    const std::vector<File> files_;
    const Tell tell_;
    // Touched by the timer's thread only.
    struct Told {
        Time end{};
        int line = 0;  // days; a large number: none yet
        bool unreadable = false;
    };
    std::map<std::string, Told> told_;
};

}  // namespace hvagent::state
