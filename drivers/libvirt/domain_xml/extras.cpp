// Devices every VM gets: balloon, random numbers, and a way to tell of a panic; and a watchdog for those that want one.
#include "drivers/libvirt/domain_xml/domain_xml.h"

namespace hvagent::libvirt::xml {

void add_extras(pugi::xml_node devices, const VmSpec& spec) {
    pugi::xml_node balloon = with(devices.append_child("memballoon"), "model", "virtio");
    // Without a period the guest's memory figures never move.
    with(balloon.append_child("stats"), "period", "10");
    pugi::xml_node rng = with(devices.append_child("rng"), "model", "virtio");
    with(child(rng, "backend", "/dev/urandom"), "model", "random");
    if (!spec.watchdog.empty()) {
        pugi::xml_node watchdog = with(devices.append_child("watchdog"), "model", "i6300esb");
        with(watchdog, "action", checked_name(spec.watchdog, "the watchdog's action"));
    }
    if (spec.architecture == "x86_64") with(devices.append_child("panic"), "model", "isa");
}

}  // namespace hvagent::libvirt::xml
