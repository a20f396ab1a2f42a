// `hvctl watch`: the events of the host as they happen.
#pragma once
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace hvagent::cli {

using nlohmann::json;

// Puts a stream of server-sent events together, however it is cut into pieces.
class EventReader {
public:
    struct Event {
        std::string kind;
        std::string data;
    };
    // The events that are whole now.
    std::vector<Event> feed(std::string_view piece);
    const std::string& last_id() const { return last_id_; }
    // The connection is new; the id of the last event stays.
    void begin();

private:
    std::string rest_;
    std::string id_, kind_, data_;
    std::string last_id_;
};

// One line per change; knows the names of VMs from the picture that comes first.
class EventPrinter {
public:
    std::vector<std::string> lines(const EventReader::Event& event);

private:
    std::string name_of(const std::string& vm) const;
    std::string vm_line(const json& vm, bool is_picture);
    std::string guest_line(const json& vm);

    std::map<std::string, std::string> names_;
};

}  // namespace hvagent::cli
