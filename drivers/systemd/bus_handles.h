// Owners of sd-bus's C handles.
#pragma once
#include <systemd/sd-bus.h>

#include <chrono>
#include <memory>
#include <string>

namespace hvagent::systemd {

template <auto release>
struct Release {
    template <class T>
    void operator()(T* handle) const {
        release(handle);
    }
};

using Bus = std::unique_ptr<sd_bus, Release<sd_bus_close_unref>>;
using Message = std::unique_ptr<sd_bus_message, Release<sd_bus_message_unref>>;

// `address` empty: the system bus. Null, with the errno in `error`, when it does not answer.
Bus open_bus(const std::string& address, std::chrono::microseconds call_timeout, int& error);

// The answer of the other side to a call that failed.
class BusError {
public:
    BusError() = default;
    ~BusError() { sd_bus_error_free(&error_); }
    BusError(const BusError&) = delete;
    BusError& operator=(const BusError&) = delete;

    sd_bus_error* out() { return &error_; }
    const char* text() const { return error_.message ? error_.message : "no answer"; }

private:
    sd_bus_error error_ = SD_BUS_ERROR_NULL;
};

}  // namespace hvagent::systemd
