#include "agent/cli/watch.h"

namespace hvagent::cli {
namespace {

// Texts of guests and tools may hold anything, a terminal must not obey it.
std::string printable(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return text;
}

std::string text_in(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

void EventReader::begin() {
    rest_.clear();
    id_.clear();
    kind_.clear();
    data_.clear();
}

std::vector<EventReader::Event> EventReader::feed(std::string_view piece) {
    rest_.append(piece);
    std::vector<Event> events;
    std::size_t begin = 0;
    for (auto end = rest_.find('\n'); end != std::string::npos; begin = end + 1, end = rest_.find('\n', begin)) {
        const std::string_view line(rest_.data() + begin, end - begin);
        if (line.empty()) {
            if (!id_.empty()) last_id_ = id_;
            if (!data_.empty()) events.push_back({kind_, data_});
            id_.clear();
            kind_.clear();
            data_.clear();
        }
        if (line.starts_with("id: ")) id_ = line.substr(4);
        if (line.starts_with("event: ")) kind_ = line.substr(7);
        if (line.starts_with("data: ")) data_ += line.substr(6);
    }
    rest_.erase(0, begin);
    return events;
}

std::string EventPrinter::name_of(const std::string& vm) const {
    const auto found = names_.find(vm);
    return found == names_.end() || found->second.empty() ? vm : found->second + " (" + vm.substr(0, 8) + ")";
}

std::string EventPrinter::vm_line(const json& vm, bool is_picture) {
    const std::string uuid = text_in(vm, "uuid"), before = text_in(vm, "previousState"), reason = text_in(vm, "reason");
    if (is_picture) names_[uuid] = text_in(vm, "name");
    std::string line = text_in(vm, "observedAt") + "  " + name_of(uuid) + "  ";
    if (!before.empty() && !is_picture) line += before + " -> ";
    line += text_in(vm, "state");
    if (!reason.empty()) line += "  " + reason;
    if (!is_picture) line += "  by " + text_in(vm, "source");
    return printable(line);
}

std::string EventPrinter::guest_line(const json& vm) {
    const json guest = vm.value("guest", json::object());
    std::string line =
        text_in(guest, "observedAt") + "  " + name_of(text_in(vm, "uuid")) + "  guest agent " + text_in(guest, "guestAgent");
    for (const json& one : guest.value("addresses", json::array()))
        line += "  " + text_in(one, "address") + " (" + text_in(one, "source") + ")";
    if (const std::string failure = text_in(guest, "failure"); !failure.empty()) line += "  " + failure;
    return printable(line);
}

std::vector<std::string> EventPrinter::lines(const EventReader::Event& event) {
    std::vector<std::string> lines;
    const json data = json::parse(event.data, nullptr, false);
    if (!data.is_object()) return lines;
    if (event.kind == "end") lines.push_back("the stream ended: " + printable(text_in(data, "reason")));
    for (const json& vm : data.value("vms", json::array())) lines.push_back(vm_line(vm, event.kind == "snapshot"));
    for (const json& vm : data.value("guests", json::array())) lines.push_back(guest_line(vm));
    for (const json& one : data.value("events", json::array())) {
        const std::string vm = text_in(one, "vmUuid");
        lines.push_back(printable(text_in(one, "at") + "  " + (vm.empty() ? "host" : name_of(vm)) + "  " +
                                  text_in(one, "event") + "  " + text_in(one, "details")));
    }
    for (const json& job : data.value("jobs", json::array())) {
        std::string line = text_in(job, "finishedAt") + "  job " + text_in(job, "uuid").substr(0, 8) + "  " +
                           text_in(job, "operation") + (job.value("success", false) ? "  done" : "  failed");
        if (const auto error = job.find("error"); error != job.end()) line += ": " + text_in(*error, "details");
        lines.push_back(printable(line));
    }
    return lines;
}

}  // namespace hvagent::cli
