#include "drivers/systemd/systemd_host.h"

#include <fcntl.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <future>

#include "hvagent/log.h"

namespace hvagent::systemd {
namespace {

constexpr const char* logind = "org.freedesktop.login1";
constexpr const char* logind_path = "/org/freedesktop/login1";
constexpr const char* logind_interface = "org.freedesktop.login1.Manager";
constexpr const char* service_manager = "org.freedesktop.systemd1";
constexpr const char* service_manager_path = "/org/freedesktop/systemd1";
constexpr const char* unit_folder = "/org/freedesktop/systemd1/unit";
constexpr const char* unit_interface = "org.freedesktop.systemd1.Unit";
constexpr const char* service_interface = "org.freedesktop.systemd1.Service";
constexpr const char* machined = "org.freedesktop.machine1";

std::string path_of(const std::string& unit) {
    char* path = nullptr;
    if (sd_bus_path_encode(unit_folder, unit.c_str(), &path) < 0) return "";
    const std::unique_ptr<char, Release<std::free>> owner(path);
    return path;
}

std::string property(sd_bus& bus, const std::string& path, const char* interface, const char* name) {
    BusError error;
    char* text = nullptr;
    if (sd_bus_get_property_string(&bus, service_manager, path.c_str(), interface, name, error.out(), &text) < 0) return "";
    const std::unique_ptr<char, Release<std::free>> owner(text);
    return text;
}

bool is_trouble(const std::string& active) {
    return active == "failed" || active == "inactive" || active == "deactivating";
}

}  // namespace

SystemdHost::SystemdHost(SystemdSettings settings)
    : settings_(std::move(settings)),
      connection_(settings_.bus_address, {[this](sd_bus& bus) { follow(bus); }, [this] { forget(); }}) {}

SystemdHost::~SystemdHost() {
    stop();
}

void SystemdHost::start(HostServicesListener& listener) {
    listener_ = &listener;
    connection_.start();
}

void SystemdHost::stop() {
    connection_.stop();
    let_shutdown_go();
}

// A service that comes anew on the bus knows nothing of us: systemd and logind are asked again.
void SystemdHost::follow(sd_bus& bus) {
    sd_bus_match_signal(&bus, nullptr, logind, logind_path, logind_interface, "PrepareForShutdown", on_prepare, this);
    for (const std::string& unit : settings_.libvirt_units)
        sd_bus_match_signal(&bus, nullptr, service_manager, path_of(unit).c_str(), "org.freedesktop.DBus.Properties",
                            "PropertiesChanged", on_unit_change, this);
    sd_bus_add_match(&bus, nullptr,
                     "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='org.freedesktop.login1'",
                     on_owner_change, this);
    // Without a subscriber systemd keeps its changes to itself.
    BusError error;
    sd_bus_call_method(&bus, service_manager, service_manager_path, "org.freedesktop.systemd1.Manager", "Subscribe",
                       error.out(), nullptr, nullptr);
    for (const std::string& unit : settings_.libvirt_units) read_unit(bus, unit);
    read_logind(bus);
}

void SystemdHost::forget() {
    const std::lock_guard lock(mutex_);
    troubles_.clear();
    longest_hold_.reset();
    goes_down_.reset();
}

void SystemdHost::read_logind(sd_bus& bus) {
    BusError error;
    std::uint64_t longest_us = 0;
    int begun = 0;
    if (sd_bus_get_property_trivial(&bus, logind, logind_path, logind_interface, "InhibitDelayMaxUSec", error.out(), 't',
                                    &longest_us) < 0 ||
        sd_bus_get_property_trivial(&bus, logind, logind_path, logind_interface, "PreparingForShutdown", error.out(), 'b',
                                    &begun) < 0) {
        log::info("logind does not answer: shutdowns of the host are not followed", {{"error", error.text()}});
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        longest_hold_ = std::chrono::duration_cast<milliseconds>(std::chrono::microseconds(longest_us));
    }
    take_hold(bus);
    tell_shutdown(begun != 0);
}

void SystemdHost::take_hold(sd_bus& bus) {
    std::string why;
    {
        const std::lock_guard lock(mutex_);
        if (why_.empty() || hold_ >= 0) return;
        why = why_;
    }
    BusError error;
    sd_bus_message* received = nullptr;
    const int result = sd_bus_call_method(&bus, logind, logind_path, logind_interface, "Inhibit", error.out(), &received,
                                          "ssss", "shutdown", "hvagentd", why.c_str(), "delay");
    const Message answer(received);
    int lent = -1;
    if (result < 0 || sd_bus_message_read(answer.get(), "h", &lent) < 0) {
        log::warning("a shutdown of the host will not wait for the guests", {{"error", error.text()}});
        return;
    }
    const int hold = ::fcntl(lent, F_DUPFD_CLOEXEC, 3);
    const std::lock_guard lock(mutex_);
    if (why_.empty() || hold_ >= 0)
        ::close(hold);
    else
        hold_ = hold;
}

void SystemdHost::tell_shutdown(bool begins) {
    bool was = false;
    {
        const std::lock_guard lock(mutex_);
        was = goes_down_.value_or(false);
        goes_down_ = begins;
    }
    if (begins && !was) listener_->on_shutdown();
    if (!begins && was) listener_->on_shutdown_called_off();
}

void SystemdHost::read_unit(sd_bus& bus, const std::string& unit) {
    const std::string path = path_of(unit);
    if (property(bus, path, unit_interface, "LoadState") != "loaded") return;
    const std::string active = property(bus, path, unit_interface, "ActiveState");
    std::string trouble;
    if (is_trouble(active)) {
        trouble = unit + " is " + active;
        if (active == "failed") trouble += " (" + property(bus, path, service_interface, "Result") + ")";
    }
    {
        const std::lock_guard lock(mutex_);
        const auto [known, is_new] = troubles_.try_emplace(unit, trouble);
        if (!is_new && known->second == trouble) return;
        known->second = trouble;
    }
    log::info("a unit of libvirt changed", {{"unit", unit}, {"state", active}});
}

int SystemdHost::on_prepare(sd_bus_message* message, void* self, sd_bus_error*) {
    int begins = 0;
    if (sd_bus_message_read(message, "b", &begins) >= 0) static_cast<SystemdHost*>(self)->tell_shutdown(begins != 0);
    return 0;
}

int SystemdHost::on_unit_change(sd_bus_message* message, void* self, sd_bus_error*) {
    auto& host = *static_cast<SystemdHost*>(self);
    const std::string path = sd_bus_message_get_path(message);
    for (const std::string& unit : host.settings_.libvirt_units)
        if (path_of(unit) == path) host.read_unit(*sd_bus_message_get_bus(message), unit);
    return 0;
}

int SystemdHost::on_owner_change(sd_bus_message* message, void* self, sd_bus_error*) {
    const char *name = nullptr, *before = nullptr, *after = nullptr;
    if (sd_bus_message_read(message, "sss", &name, &before, &after) < 0 || !*after) return 0;
    static_cast<SystemdHost*>(self)->read_logind(*sd_bus_message_get_bus(message));
    return 0;
}

void SystemdHost::hold_shutdown(const std::string& why) {
    {
        const std::lock_guard lock(mutex_);
        why_ = why;
    }
    connection_.post([this](sd_bus& bus) { take_hold(bus); });
}

void SystemdHost::let_shutdown_go() {
    const std::lock_guard lock(mutex_);
    why_.clear();
    if (hold_ >= 0) ::close(hold_);
    hold_ = -1;
}

std::optional<milliseconds> SystemdHost::longest_hold() const {
    const std::lock_guard lock(mutex_);
    return longest_hold_;
}

std::optional<bool> SystemdHost::goes_down() const {
    const std::lock_guard lock(mutex_);
    return goes_down_;
}

std::string SystemdHost::boot_id() const {
    sd_id128_t id;
    char text[SD_ID128_STRING_MAX];
    return sd_id128_get_boot(&id) < 0 ? "" : sd_id128_to_string(id, text);
}

// Modular or not, the one that runs serves; when none does, all are named.
std::string SystemdHost::libvirt_trouble() const {
    const std::lock_guard lock(mutex_);
    std::string text;
    for (const auto& [unit, trouble] : troubles_) {
        if (trouble.empty()) return "";
        text += (text.empty() ? "" : ", ") + trouble;
    }
    return text;
}

std::string SystemdHost::machine_name(const VmId& vm) {
    struct Answer {
        std::promise<std::string> name;
        bool given = false;
        ~Answer() {
            if (!given) name.set_value("");
        }
    };
    // Its destruction answers, also where nobody runs the work.
    auto made = std::make_shared<Answer>();
    std::future<std::string> name = made->name.get_future();
    connection_.post([answer = std::move(made), vm](sd_bus& bus) {
        BusError error;
        sd_bus_message* received = nullptr;
        sd_bus_call_method(&bus, machined, "/org/freedesktop/machine1", "org.freedesktop.machine1.Manager", "ListMachines",
                           error.out(), &received, nullptr);
        const Message machines(received);
        if (!machines || sd_bus_message_enter_container(machines.get(), 'a', "(ssso)") < 0) return;
        const char* one = nullptr;
        while (sd_bus_message_read(machines.get(), "(ssso)", &one, nullptr, nullptr, nullptr) > 0) {
            if (answer->given || std::string_view(one).find(vm.str()) == std::string_view::npos) continue;
            answer->given = true;
            answer->name.set_value(one);
        }
    });
    return name.get();
}

}  // namespace hvagent::systemd
