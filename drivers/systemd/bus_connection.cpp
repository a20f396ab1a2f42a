#include "drivers/systemd/bus_connection.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::systemd {
namespace {

constexpr milliseconds first_retry{500};
constexpr milliseconds longest_retry{30000};
constexpr seconds call_timeout{5};

milliseconds until(std::uint64_t monotonic_us, milliseconds longest) {
    if (monotonic_us == UINT64_MAX) return longest;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const auto left = std::chrono::ceil<milliseconds>(std::chrono::microseconds(monotonic_us) - now);
    return std::clamp(left, milliseconds(0), longest);
}

}  // namespace

BusConnection::BusConnection(std::string address, Events events)
    : address_(std::move(address)), events_(std::move(events)) {}

void BusConnection::start() {
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_ < 0) throw Error(Code::internal, std::string("eventfd: ") + std::strerror(errno));
    thread_ = std::thread([this] { run(); });
}

void BusConnection::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    if (wake_ >= 0) ::eventfd_write(wake_, 1);
    if (thread_.joinable()) thread_.join();
    if (wake_ >= 0) ::close(wake_);
    wake_ = -1;
}

void BusConnection::post(Work work) {
    const std::lock_guard lock(mutex_);
    if (!connected_ || stopping_) return;
    posted_.push_back(std::move(work));
    ::eventfd_write(wake_, 1);
}

void BusConnection::run() {
    milliseconds retry = first_retry;
    do {
        if (const Bus bus = connect()) {
            retry = first_retry;
            try {
                serve(*bus);
            } catch (...) {
                log::warning("the message bus was lost", {{"error", current_error().details()}});
            }
            const std::lock_guard lock(mutex_);
            connected_ = false;
            posted_.clear();
        }
        events_.lost();
    } while (wait(nullptr, std::exchange(retry, std::min(retry * 2, longest_retry))));
}

Bus BusConnection::connect() {
    int error = 0;
    Bus bus = open_bus(address_, call_timeout, error);
    if (!bus) {
        if (!std::exchange(told_absence_, true))
            log::info("there is no message bus: shutdowns of the host and units of libvirt are not followed",
                      {{"error", std::strerror(error)}});
        return nullptr;
    }
    told_absence_ = false;
    const std::lock_guard lock(mutex_);
    connected_ = true;
    return bus;
}

void BusConnection::serve(sd_bus& bus) {
    events_.connected(bus);
    for (;;) {
        do_posted(bus);
        const int result = sd_bus_process(&bus, nullptr);
        if (result < 0) throw Error(Code::internal, std::strerror(-result));
        if (result == 0 && !wait(&bus, seconds(60))) return;
    }
}

void BusConnection::do_posted(sd_bus& bus) {
    std::vector<Work> work;
    {
        const std::lock_guard lock(mutex_);
        work.swap(posted_);
    }
    for (const Work& one : work) one(bus);
}

bool BusConnection::wait(sd_bus* bus, milliseconds longest) {
    pollfd fds[2] = {{wake_, POLLIN, 0}, {-1, 0, 0}};
    if (bus) {
        std::uint64_t moment = UINT64_MAX;
        sd_bus_get_timeout(bus, &moment);
        fds[1] = {sd_bus_get_fd(bus), static_cast<short>(std::max(sd_bus_get_events(bus), 0)), 0};
        longest = until(moment, longest);
    }
    ::poll(fds, 2, static_cast<int>(longest.count()));
    eventfd_t count = 0;
    ::eventfd_read(wake_, &count);
    const std::lock_guard lock(mutex_);
    return !stopping_;
}

}  // namespace hvagent::systemd
