// The whole domain: identity, what ends it, and the order of the parts.
#include <sstream>

#include "drivers/libvirt/domain_xml/domain_xml.h"
#include "hvagent/error.h"

namespace hvagent::libvirt {
namespace {

void check(const VmSpec& spec) {
    if (!is_uuid(spec.vm.str()))
        throw Error(Code::invalid_argument,
                    "a VM's uuid is 32 lower-case hex digits, not \"" + xml::safe_text(spec.vm.str()) + "\"");
    if (spec.cpus < 1) throw Error(Code::invalid_argument, "a VM needs at least one CPU, not " + std::to_string(spec.cpus));
    if (spec.memory < 1 * MiB)
        throw Error(Code::invalid_argument,
                    "a VM needs at least 1 MiB of memory, not " + std::to_string(spec.memory) + " bytes");
    xml::checked_name(spec.machine, "the machine type");
}

// A crashed guest is destroyed rather than kept: it then shows as crashed, and whoever watches over it can start it
// again. Its memory would be a valuable only to a developer, who can set on_crash by hand.
void add_ends(pugi::xml_node domain) {
    xml::child(domain, "on_poweroff", "destroy");
    xml::child(domain, "on_reboot", "restart");
    xml::child(domain, "on_crash", "destroy");
}

}  // namespace

std::string domain_xml(const VmSpec& spec, const HostProfile& host) {
    check(spec);
    pugi::xml_document document;
    pugi::xml_node domain = xml::with(document.append_child("domain"), "type", host.virt_type);
    xml::child(domain, "name", spec.vm.str());
    xml::child(domain, "uuid", with_dashes(spec.vm.str()));
    if (!spec.title.empty()) xml::child(domain, "title", xml::safe_text(spec.title));
    if (!spec.description.empty()) xml::child(domain, "description", xml::safe_text(spec.description));
    xml::add_metadata(domain, spec);
    xml::add_memory(domain, spec, host);
    xml::add_cpu(domain, spec, host);
    xml::add_os(domain, spec, host);
    xml::add_features(domain, spec, host);
    xml::add_clock(domain, spec, host);
    add_ends(domain);
    pugi::xml_node devices = domain.append_child("devices");
    xml::add_controllers(devices, spec, host);
    xml::add_disks(devices, spec, host);
    xml::add_cdroms(devices, spec);
    xml::add_nics(devices, spec);
    xml::add_serial(devices, spec);
    xml::add_channels(devices, spec);
    xml::add_console(devices, spec, host);
    xml::add_extras(devices, spec);
    std::ostringstream text;
    document.save(text, "  ", pugi::format_indent | pugi::format_no_declaration, pugi::encoding_utf8);
    return text.str();
}

}  // namespace hvagent::libvirt
