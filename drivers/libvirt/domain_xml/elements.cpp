// What all parts of the domain XML use.
#include <algorithm>

#include "drivers/libvirt/domain_xml/domain_xml.h"
#include "hvagent/error.h"

namespace hvagent::libvirt::xml {
namespace {

// Length of the well-formed UTF-8 sequence at `at`, 0 when there is none. Surrogates and overlong forms are refused,
// since libvirt's parser refuses the whole document for one of them.
std::size_t sequence_length(const std::string& text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
    const unsigned first = byte(at);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return follows(at + 1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const unsigned second = byte(at + 1);
        const bool overlong = first == 0xe0 && second < 0xa0;
        const bool surrogate = first == 0xed && second > 0x9f;
        const bool not_a_character = first == 0xef && second == 0xbf && byte(at + 2) >= 0xbe;
        return follows(at + 1) && follows(at + 2) && !overlong && !surrogate && !not_a_character ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const unsigned second = byte(at + 1);
        const bool out_of_range = (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
        return follows(at + 1) && follows(at + 2) && follows(at + 3) && !out_of_range ? 4 : 0;
    }
    return 0;
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

pugi::xml_node child(pugi::xml_node parent, const char* name, const std::string& text) {
    pugi::xml_node node = parent.append_child(name);
    if (!text.empty()) node.text().set(text.c_str());
    return node;
}

pugi::xml_node with(pugi::xml_node node, const char* attribute, const std::string& value) {
    node.append_attribute(attribute).set_value(value.c_str());
    return node;
}

std::string safe_text(const std::string& text) {
    std::string safe;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = sequence_length(text, at);
        const char c = text[at];
        if (length == 0 || is_control(c))
            safe += c == '\n' || c == '\r' || c == '\t' ? ' ' : '?';
        else
            safe.append(text, at, length);
        at += std::max<std::size_t>(length, 1);
    }
    return safe;
}

const std::string& checked_name(const std::string& name, const std::string& what) {
    if (safe_text(name) != name)
        throw Error(Code::invalid_argument, what + " \"" + safe_text(name) + "\" holds control characters or is not UTF-8");
    return name;
}

bool is_q35(const VmSpec& spec, const HostProfile& host) {
    const std::string& machine = spec.machine.empty() ? host.default_machine : spec.machine;
    return machine.find("q35") != std::string::npos;
}

int boot_number(const VmSpec& spec, BootDevice device, int index) {
    const auto count = [&](BootDevice kind) {
        switch (kind) {
            case BootDevice::hard_disk: return std::min<int>(1, static_cast<int>(spec.disks.size()));
            case BootDevice::cdrom: return static_cast<int>(spec.cdroms.size());
            case BootDevice::network: return static_cast<int>(spec.nics.size());
        }
        return 0;
    };
    int number = 1;
    for (BootDevice kind : spec.boot_order) {
        if (kind == device) return index < count(kind) ? number + index : 0;
        number += count(kind);
    }
    return 0;
}

}  // namespace hvagent::libvirt::xml
