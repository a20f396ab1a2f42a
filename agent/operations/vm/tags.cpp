#include "agent/operations/vm/tags.h"

#include <algorithm>
#include <array>

#include "agent/operations/migration/options.h"
#include "agent/operations/network/ipv4.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

using Parts = std::vector<std::string>;

Parts split(const std::string& tag) {
    Parts parts;
    std::size_t from = 0;
    for (std::size_t at; (at = tag.find("::", from)) != std::string::npos; from = at + 2)
        parts.push_back(tag.substr(from, at - from));
    parts.push_back(tag.substr(from));
    return parts;
}

bool one_of(const std::string& text, std::initializer_list<const char*> allowed) {
    return std::any_of(allowed.begin(), allowed.end(), [&](const char* one) { return text == one; });
}

bool is_boolean(const std::string& text) {
    return one_of(text, {"true", "false"});
}

bool is_mac(const std::string& text) {
    if (text.size() != 17) return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (i % 3 == 2 ? text[i] != ':' : !std::isxdigit(static_cast<unsigned char>(text[i]))) return false;
    return (std::stoi(text.substr(0, 2), nullptr, 16) & 1) == 0;  // not a multicast address
}

bool is_host_name(const std::string& text) {
    if (text.empty() || text.size() > 63 || text.front() == '-' || text.back() == '-') return false;
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '.'; });
}

bool is_number(const std::string& text, int lowest, int highest) {
    if (text.empty() || text.size() > 4 ||
        !std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); }))
        return false;
    const int number = std::stoi(text);
    return number >= lowest && number <= highest;
}

bool is_boot_order(const std::string& text) {
    std::vector<std::string> seen;
    for (std::size_t from = 0, comma = 0; comma != std::string::npos; from = comma + 1) {
        comma = text.find(',', from);
        const std::string device = text.substr(from, comma - from);
        if (!one_of(device, {"CdRom", "HardDisk", "Network"}) || std::count(seen.begin(), seen.end(), device) > 0)
            return false;
        seen.push_back(device);
    }
    return true;
}

// What a CD-ROM of the tag "cdroms" holds; "None": there is no such drive.
bool is_medium(const std::string& text) {
    return is_uuid(text) || one_of(text, {"Empty", "empty", "None", "none"});
}

struct TagRule {
    const char* name;
    const char* form;  // what the whole tag looks like
    bool (*fits)(const Parts& parts);
};

constexpr std::array vm_rules{
    TagRule{"hostname", "hostname::<name>", [](const Parts& p) { return p.size() == 2 && is_host_name(p[1]); }},
    TagRule{"staticIp", "staticIp::<l3 uuid>::<IPv4 address>",
            [](const Parts& p) { return p.size() == 3 && is_uuid(p[1]) && parse_ipv4(p[2]); }},
    TagRule{"customMac", "customMac::<l3 uuid>::<unicast mac>",
            [](const Parts& p) { return p.size() == 3 && is_uuid(p[1]) && is_mac(p[2]); }},
    // QEMU keeps 8 characters of a VNC password and libvirt refuses more.
    TagRule{"consolePassword", "consolePassword::<1 to 8 characters>",
            [](const Parts& p) { return p.size() == 2 && !p[1].empty() && p[1].size() <= 8; }},
    TagRule{"vmConsoleMode", "vmConsoleMode::vnc|spice|vncAndSpice",
            [](const Parts& p) {
                return p.size() == 2 && one_of(p[1], {"vnc", "spice", "vncAndSpice"});
            }},
    TagRule{"usbRedirect", "usbRedirect::true|false", [](const Parts& p) { return p.size() == 2 && is_boolean(p[1]); }},
    TagRule{"VDIMonitorNumber", "VDIMonitorNumber::<1 to 4>",
            [](const Parts& p) { return p.size() == 2 && is_number(p[1], 1, 4); }},
    TagRule{"qemuga", "qemuga", [](const Parts& p) { return p.size() == 1; }},
    TagRule{"bootMode", "bootMode::Legacy|UEFI",
            [](const Parts& p) {
                return p.size() == 2 && one_of(p[1], {"Legacy", "UEFI"});
            }},
    TagRule{"bootOrder", "bootOrder::<comma list of CdRom, HardDisk, Network>",
            [](const Parts& p) { return p.size() == 2 && is_boot_order(p[1]); }},
    TagRule{"bootOrderOnce", "bootOrderOnce::true|false", [](const Parts& p) { return p.size() == 2 && is_boolean(p[1]); }},
    TagRule{"cdroms", "cdroms::<ISO uuid, Empty or None>, one to three of them",
            [](const Parts& p) { return p.size() >= 2 && p.size() <= 4 && std::all_of(p.begin() + 1, p.end(), is_medium); }},
    TagRule{"iso", "iso::<ISO uuid>::<drive 0 to 2>",
            [](const Parts& p) { return p.size() == 3 && is_uuid(p[1]) && is_number(p[2], 0, 2); }},
    TagRule{"createWithoutCdRom", "createWithoutCdRom::true|false",
            [](const Parts& p) { return p.size() == 2 && is_boolean(p[1]); }},
    TagRule{"driver", "driver::virtio", [](const Parts& p) { return p.size() == 2 && p[1] == "virtio"; }},
    TagRule{"cleanTraffic", "cleanTraffic::true|false", [](const Parts& p) { return p.size() == 2 && is_boolean(p[1]); }},
    TagRule{"vmMachineType", "vmMachineType::q35|pc",
            [](const Parts& p) {
                return p.size() == 2 && one_of(p[1], {"q35", "pc"});
            }},
    TagRule{"migration", "migration::<option>::<value>",
            [](const Parts& p) { return p.size() == 3 && is_migration_tag(p[0] + "::" + p[1] + "::" + p[2]); }},
    TagRule{"ioErrorPolicy", "ioErrorPolicy::resume|leave|stop",
            [](const Parts& p) {
                return p.size() == 2 && one_of(p[1], {"resume", "leave", "stop"});
            }},
    TagRule{"watchdog", "watchdog::reset|poweroff|pause|inject-nmi|none",
            [](const Parts& p) {
                return p.size() == 2 && one_of(p[1], {"reset", "poweroff", "pause", "inject-nmi", "none"});
            }},
    TagRule{"ha", "ha::NeverStop|OnHostFailure",
            [](const Parts& p) {
                return p.size() == 2 && one_of(p[1], {"NeverStop", "OnHostFailure"});
            }},
};

// What a tag speaks about: "hostname", "staticIp::<l3 uuid>".
std::string subject_of(const Parts& parts) {
    return parts.size() == 3 && parts[0] != "cdroms" ? parts[0] + "::" + parts[1] : parts[0];
}

struct RefusedTag {
    const char* name;
    const char* why;
};

constexpr std::array refused_vm_tags{
    RefusedTag{"userdata", "there is no metadata service on this network"},
    RefusedTag{"sshkey", "there is no metadata service on this network"},
    RefusedTag{"rootPassword", "passwords are set through the guest agent of a running VM"},
    RefusedTag{"RDPEnable", "there is no RDP gateway"},
    RefusedTag{"cdromUuid", "it names the drive when an ISO is attached; drives get their own uuids"},
    RefusedTag{"ipv4Gateway", "the gateway is that of the IP range"},
    RefusedTag{"ipv4Netmask", "the netmask is that of the IP range"},
    RefusedTag{"ipv6Gateway", "IPv6 networks are not offered"},
    RefusedTag{"ipv6Prefix", "IPv6 networks are not offered"},
    RefusedTag{"primaryStorageUuidForDataVolume", "data volumes are made on the primary storage of the root volume"},
    RefusedTag{"releaseVmNicAfterDetachVmNic", "the address of a detached NIC is always released"},
    RefusedTag{"additionalQmp", "QEMU's monitor is not opened to clients"},
    RefusedTag{"affinityGroupUuid", "affinity groups are not offered"},
    RefusedTag{"pciDevice", "PCI devices are not passed through"},
    RefusedTag{"vmCpuPinning", "CPUs are not pinned"},
};

}  // namespace

void check_vm_tags(const std::vector<std::string>& tags) {
    for (const std::string& tag : tags) {
        const Parts parts = split(tag);
        for (const RefusedTag& refused : refused_vm_tags)
            if (parts[0] == refused.name)
                throw Error(Code::invalid_argument, "system tag '" + parts[0] + "' is not supported: " + refused.why);
        const auto rule =
            std::find_if(vm_rules.begin(), vm_rules.end(), [&](const TagRule& one) { return parts[0] == one.name; });
        if (rule == vm_rules.end()) throw Error(Code::invalid_argument, "no system tag matches '" + tag + "'");
        if (!rule->fits(parts))
            throw Error(Code::invalid_argument,
                        "system tag '" + parts[0] + "' must have the form " +
                            (parts[0] == "migration" ? migration_tag_forms() : std::string(rule->form)));
        const auto same = [&](const std::string& other) { return subject_of(split(other)) == subject_of(parts); };
        if (std::count_if(tags.begin(), tags.end(), same) > 1)
            throw Error(Code::duplicate_tag, "system tag '" + subject_of(parts) + "' stands twice");
    }
}

void check_volume_tags(const std::vector<std::string>& tags, const HostId& host) {
    for (const std::string& tag : tags) {
        const Parts parts = split(tag);
        if (tag == "capability::virtio-scsi") continue;
        if (parts.size() == 3 && parts[0] == "localStorage" && parts[1] == "hostUuid") {
            if (parts[2] == host.str()) continue;
            throw Error(Code::invalid_argument, "system tag 'localStorage::hostUuid' must name this host, " + host.str());
        }
        throw Error(Code::invalid_argument, "no system tag of volumes matches '" + tag +
                                                "'; known are capability::virtio-scsi and localStorage::hostUuid::<host>");
    }
}

std::string tag_value(const std::vector<std::string>& tags, std::string_view name) {
    const std::string prefix = std::string(name) + "::";
    for (const std::string& tag : tags)
        if (tag.starts_with(prefix)) return tag.substr(prefix.size());
    return "";
}

std::string tag_value(const std::vector<std::string>& tags, std::string_view name, std::string_view key) {
    return tag_value(tags, std::string(name) + "::" + std::string(key));
}

bool has_tag(const std::vector<std::string>& tags, std::string_view tag) {
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

std::vector<std::string> system_tags_of(const inventory::Inventory& inventory, const std::string& uuid) {
    std::vector<std::string> texts;
    for (const Tag& tag : inventory.tags_of(uuid, "System")) texts.push_back(tag.tag);
    return texts;
}

}  // namespace hvagent::operations
