// The definition of a VM on its way to another host.
#pragma once
#include <string>
#include <vector>

#include "hvagent/drivers/vm_migration.h"

namespace hvagent::libvirt {

// The definition (live and migratable, or persistent) as it is at the destination: only what `places` names differs.
std::string moved_definition(const std::string& domain_xml, const MigrationPlaces& places);

// From the live, migratable XML; `cpu` is its element, empty without one.
GuestNeeds guest_needs(const std::string& domain_xml);
// Whether the CPU is "what the host has": its element then says nothing about what the guest sees.
bool is_host_cpu(const std::string& cpu_element);
// The CPU model of mode host-model in a host's domain capabilities, as an element of its own; empty: there is none.
std::string host_model(const std::string& domain_capabilities);

// Sentences about devices and block jobs in the live XML that stand in the way of a move.
std::vector<std::string> devices_that_stay(const std::string& domain_xml);

// The owner's mark as virDomainSetMetadata takes it.
std::string mark_element(const std::string& host_uuid);

}  // namespace hvagent::libvirt
