// A message bus of the test's own, with a logind, a systemd and a machined that do as they are told.
#pragma once
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "drivers/systemd/bus_handles.h"
#include "tests/fakes/temp_directory.h"

namespace hvagent::systemd {

inline int must(int result, const char* what) {
    if (result < 0) throw std::runtime_error(std::string(what) + ": " + std::strerror(-result));
    return result;
}

// dbus-daemon on a socket in a directory of its own.
class PrivateBus {
public:
    PrivateBus() { start(); }
    ~PrivateBus() { kill(); }

    void start() {
        write_file(directory_.file("bus.conf"),
                   "<busconfig><type>session</type><listen>" + address() +
                       "</listen><policy context=\"default\"><allow send_destination=\"*\"/><allow eavesdrop=\"true\"/>"
                       "<allow own=\"*\"/></policy></busconfig>");
        const std::string config = "--config-file=" + directory_.file("bus.conf");
        pid_ = ::fork();
        if (pid_ == 0) {
            ::execlp("dbus-daemon", "dbus-daemon", config.c_str(), "--nofork", "--nopidfile", nullptr);
            ::_exit(127);
        }
    }
    void kill() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
        ::unlink(directory_.file("bus").c_str());
    }
    std::string address() const { return "unix:path=" + directory_.file("bus"); }
    // Waits until the bus takes connections.
    Bus connect() const {
        for (int tries = 0;; ++tries) {
            sd_bus* made = nullptr;
            must(sd_bus_new(&made), "sd_bus_new");
            Bus bus(made);
            sd_bus_set_address(made, address().c_str());
            sd_bus_set_bus_client(made, 1);
            const int result = sd_bus_start(made);
            // Hello is answered only by a bus that lives.
            const char* name = nullptr;
            if (result >= 0 && sd_bus_get_unique_name(made, &name) >= 0) return bus;
            if (tries > 500) throw std::runtime_error("dbus-daemon does not answer at " + address());
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }

private:
    TempDirectory directory_;
    pid_t pid_ = -1;
};

class MockServices {
public:
    explicit MockServices(const PrivateBus& bus) : bus_(bus.connect()) {
        thread_ = std::thread([this] { serve(); });
        while (!ready_) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ~MockServices() {
        stopping_ = true;
        thread_.join();
        drop_hold();
    }

    // Whether the one who asked to hold a shutdown does so still: his end of the pipe is open.
    bool is_held() {
        const std::lock_guard lock(mutex_);
        if (pipe_ < 0) return false;
        pollfd end{pipe_, POLLIN, 0};
        return ::poll(&end, 1, 0) == 0;
    }
    void prepare_for_shutdown(bool begins) {
        preparing = begins;
        announce_ = begins ? 1 : 0;
    }
    // Name and mode, and first property, of the transient unit that was asked for.
    std::pair<std::string, std::string> scope() {
        const std::lock_guard lock(mutex_);
        return scope_;
    }
    void set_unit(const std::string& unit, const std::string& state, const std::string& result = "success") {
        const std::lock_guard lock(mutex_);
        units_[unit] = {state, result};
        changed_unit_ = unit;
    }

    std::atomic<std::uint64_t> longest_us{120000000};
    std::atomic<bool> preparing{false};
    std::atomic<bool> refuses_units{false};
    std::string machine;

private:
    struct Unit {
        std::string active, result;
    };

    void serve() {
        sd_bus_add_filter(bus_.get(), nullptr, on_message, this);
        for (const char* name : {"org.freedesktop.login1", "org.freedesktop.systemd1", "org.freedesktop.machine1"})
            must(sd_bus_request_name(bus_.get(), name, 0), name);
        ready_ = true;
        while (!stopping_) {
            if (sd_bus_process(bus_.get(), nullptr) == 0) sd_bus_wait(bus_.get(), 10000);
            say_news();
        }
    }
    void say_news() {
        if (const int begins = announce_.exchange(-1); begins >= 0)
            sd_bus_emit_signal(bus_.get(), "/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForShutdown",
                               "b", begins);
        std::string unit;
        {
            const std::lock_guard lock(mutex_);
            unit.swap(changed_unit_);
        }
        if (unit.empty()) return;
        sd_bus_emit_signal(bus_.get(), path_of(unit).c_str(), "org.freedesktop.DBus.Properties", "PropertiesChanged",
                           "sa{sv}as", "org.freedesktop.systemd1.Unit", 0, 0);
    }
    static std::string path_of(const std::string& unit) {
        char* path = nullptr;
        sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &path);
        const std::string text = path;
        std::free(path);
        return text;
    }
    static int on_message(sd_bus_message* message, void* self, sd_bus_error*) {
        std::uint8_t type = 0;
        sd_bus_message_get_type(message, &type);
        return type == SD_BUS_MESSAGE_METHOD_CALL ? static_cast<MockServices*>(self)->answer(message) : 0;
    }
    int answer(sd_bus_message* call) {
        const std::string method = sd_bus_message_get_member(call);
        if (method == "Get") return answer_property(call);
        if (method == "Inhibit") return answer_inhibit(call);
        if (method == "ListMachines") return answer_machines(call);
        if (method == "StartTransientUnit") return answer_transient_unit(call);
        return sd_bus_reply_method_return(call, nullptr);
    }
    int answer_property(sd_bus_message* call) {
        const char *interface = nullptr, *name = nullptr;
        sd_bus_message_read(call, "ss", &interface, &name);
        const std::string property = name;
        if (property == "InhibitDelayMaxUSec") return sd_bus_reply_method_return(call, "v", "t", longest_us.load());
        if (property == "PreparingForShutdown") return sd_bus_reply_method_return(call, "v", "b", preparing ? 1 : 0);
        const std::lock_guard lock(mutex_);
        for (const auto& [unit, state] : units_) {
            if (path_of(unit) != sd_bus_message_get_path(call)) continue;
            if (property == "LoadState") return sd_bus_reply_method_return(call, "v", "s", "loaded");
            if (property == "ActiveState") return sd_bus_reply_method_return(call, "v", "s", state.active.c_str());
            return sd_bus_reply_method_return(call, "v", "s", state.result.c_str());
        }
        return sd_bus_reply_method_return(call, "v", "s", "not-found");
    }
    int answer_inhibit(sd_bus_message* call) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) return -errno;
        const int result = sd_bus_reply_method_return(call, "h", ends[1]);
        ::close(ends[1]);
        drop_hold();
        const std::lock_guard lock(mutex_);
        pipe_ = ends[0];
        return result < 0 ? result : 1;
    }
    int answer_machines(sd_bus_message* call) {
        return sd_bus_reply_method_return(call, "a(ssso)", 2, "web", "container", "nspawn", "/m/a", machine.c_str(), "vm",
                                          "libvirt-qemu", "/m/b");
    }
    int answer_transient_unit(sd_bus_message* call) {
        const char *name = nullptr, *mode = nullptr, *property = nullptr;
        must(sd_bus_message_read(call, "ss", &name, &mode), "its name");
        must(sd_bus_message_enter_container(call, 'a', "(sv)"), "its properties");
        must(sd_bus_message_enter_container(call, 'r', "sv"), "its first property");
        must(sd_bus_message_read(call, "s", &property), "its first property");
        std::uint32_t pid = 0;
        must(sd_bus_message_read(call, "v", "au", 1, &pid), property);
        const std::lock_guard lock(mutex_);
        scope_ = {std::string(name) + " " + mode, std::string(property) + " " + std::to_string(pid)};
        if (refuses_units) return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_ACCESS_DENIED, "Permission denied");
        return sd_bus_reply_method_return(call, "o", "/org/freedesktop/systemd1/job/1");
    }
    void drop_hold() {
        const std::lock_guard lock(mutex_);
        if (pipe_ >= 0) ::close(pipe_);
        pipe_ = -1;
    }

    Bus bus_;
    std::mutex mutex_;
    int pipe_ = -1;
    std::map<std::string, Unit> units_;
    std::pair<std::string, std::string> scope_;
    std::string changed_unit_;
    std::atomic<int> announce_{-1};
    std::atomic<bool> stopping_{false}, ready_{false};
    std::thread thread_;
};

}  // namespace hvagent::systemd
