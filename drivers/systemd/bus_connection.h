// One connection to the host's message bus and the thread that serves it.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "drivers/systemd/bus_handles.h"
#include "hvagent/clock.h"

namespace hvagent::systemd {

// Thread-safe. Lost connections are made again, with a growing distance between the tries.
class BusConnection {
public:
    using Work = std::function<void(sd_bus&)>;

    struct Events {
        Work connected;              // on each new connection: matches are added here
        std::function<void()> lost;  // also after a first try that failed
    };

    // `address` empty: the system bus.
    BusConnection(std::string address, Events events);
    ~BusConnection() { stop(); }
    BusConnection(const BusConnection&) = delete;
    BusConnection& operator=(const BusConnection&) = delete;

    void start();
    // Returns when no callback runs any more; a call that waits for an answer ends with its own timeout.
    void stop();
    // Runs `work` on the thread of the connection, soon; dropped while there is no connection.
    void post(Work work);

private:
    void run();
    Bus connect();
    void serve(sd_bus& bus);
    void do_posted(sd_bus& bus);
    bool wait(sd_bus* bus, milliseconds longest);  // false: stopping

    const std::string address_;
    const Events events_;
    int wake_ = -1;  // eventfd
    std::mutex mutex_;
    std::vector<Work> posted_;
    bool connected_ = false;
    bool stopping_ = false;
    bool told_absence_ = false;
    std::thread thread_;
};

}  // namespace hvagent::systemd
