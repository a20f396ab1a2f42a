// What a person in front of the VM sees and touches: <graphics>, <video>, <input>, USB redirection.
#include "drivers/libvirt/domain_xml/domain_xml.h"
#include "hvagent/error.h"

namespace hvagent::libvirt::xml {
namespace {

constexpr std::size_t longest_vnc_password = 8;  // of the protocol; QEMU would cut, newer libvirt refuses
constexpr int redirected_usb_devices = 4;

bool has_vnc(const VmSpec& spec) {
    return spec.console != ConsoleMode::spice;
}

bool has_spice(const VmSpec& spec) {
    return spec.console != ConsoleMode::vnc;
}

void add_graphics(pugi::xml_node devices, const VmSpec& spec, const char* type) {
    pugi::xml_node graphics = with(with(devices.append_child("graphics"), "type", type), "autoport", "yes");
    with(graphics, "listen", "127.0.0.1");
    if (!spec.console_password.empty()) {
        if (safe_text(spec.console_password) != spec.console_password)
            throw Error(Code::invalid_argument, "a console password may not hold control characters");
        with(graphics, "passwd", spec.console_password);
    }
}

void add_video(pugi::xml_node devices, const VmSpec& spec, const HostProfile& host) {
    // VGA needs no driver in any guest; more than one head takes a paravirtual card.
    const bool qxl = has_spice(spec) && host.has_qxl;
    const char* model = qxl ? "qxl" : spec.monitors > 1 ? "virtio" : "vga";
    pugi::xml_node node = with(devices.append_child("video").append_child("model"), "type", model);
    with(with(node, "heads", std::to_string(spec.monitors)), "primary", "yes");
}

}  // namespace

void add_console(pugi::xml_node devices, const VmSpec& spec, const HostProfile& host) {
    if (has_spice(spec) && !host.has_spice)
        throw Error(Code::no_capability, "QEMU on this host has no SPICE; the console mode can only be vnc");
    if (spec.usb_redirect && !has_spice(spec)) throw Error(Code::invalid_argument, "USB redirection needs a SPICE console");
    if (has_vnc(spec) && spec.console_password.size() > longest_vnc_password)
        throw Error(Code::invalid_argument, "a VNC password has at most 8 characters");
    if (spec.monitors < 1 || spec.monitors > 16)
        throw Error(Code::invalid_argument, "a VM has 1 to 16 monitors, not " + std::to_string(spec.monitors));
    // Absolute coordinates: without a tablet the pointer of a VNC viewer drifts.
    with(with(devices.append_child("input"), "type", "tablet"), "bus", "usb");
    if (has_vnc(spec)) add_graphics(devices, spec, "vnc");
    if (has_spice(spec)) add_graphics(devices, spec, "spice");
    add_video(devices, spec, host);
    if (spec.usb_redirect)
        for (int i = 0; i < redirected_usb_devices; ++i)
            with(with(devices.append_child("redirdev"), "bus", "usb"), "type", "spicevmc");
}

}  // namespace hvagent::libvirt::xml
