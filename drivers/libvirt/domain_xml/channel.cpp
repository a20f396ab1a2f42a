// <serial>, <console>, <channel>: text lines into and out of the guest.
#include "drivers/libvirt/domain_xml/domain_xml.h"

namespace hvagent::libvirt::xml {

void add_serial(pugi::xml_node devices, const VmSpec& spec) {
    pugi::xml_node serial = with(devices.append_child("serial"), "type", "pty");
    if (!spec.serial_log.empty()) {
        pugi::xml_node log = with(serial.append_child("log"), "file", checked_name(spec.serial_log, "the serial log"));
        with(log, "append", "on");
    }
    with(serial.append_child("target"), "port", "0");
}

void add_channels(pugi::xml_node devices, const VmSpec& spec) {
    if (spec.guest_agent_channel) {
        pugi::xml_node agent = with(devices.append_child("channel"), "type", "unix");
        with(with(agent.append_child("target"), "type", "virtio"), "name", "org.qemu.guest_agent.0");
    }
    if (spec.console != ConsoleMode::vnc) {
        pugi::xml_node spice = with(devices.append_child("channel"), "type", "spicevmc");
        with(with(spice.append_child("target"), "type", "virtio"), "name", "com.redhat.spice.0");
    }
}

}  // namespace hvagent::libvirt::xml
