// An hvagentd of our own, with a store of its own.
#pragma once
#include <sys/types.h>

#include <string>

namespace hvagent::bench {

class OwnDaemon {
public:
    // `directory` is made; the agent listens on 127.0.0.1:`port` and makes no network.
    OwnDaemon(std::string program, std::string directory, const std::string& libvirt_uri, int port);
    ~OwnDaemon();
    OwnDaemon(const OwnDaemon&) = delete;
    OwnDaemon& operator=(const OwnDaemon&) = delete;

    // Milliseconds from exec until /hvagent/v1/ready says 200. Throws when it does not within a minute.
    double start();
    void stop();
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    std::string database() const { return directory_ + "/hvagent.db"; }
    static constexpr const char* password = "password";

private:
    const std::string program_, directory_;
    const int port_;
    pid_t pid_ = 0;
};

}  // namespace hvagent::bench
