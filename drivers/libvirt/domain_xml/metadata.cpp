// <metadata>: the mark that says the domain is ours.
#include "drivers/libvirt/domain_xml/domain_xml.h"
#include "drivers/libvirt/owned_domains.h"

namespace hvagent::libvirt::xml {

void add_metadata(pugi::xml_node domain, const VmSpec& spec) {
    const std::string prefix = mark_prefix;
    pugi::xml_node mark = domain.append_child("metadata").append_child((prefix + ":vm").c_str());
    with(mark, ("xmlns:" + prefix).c_str(), mark_namespace);
    with(mark, "host", safe_text(spec.host_uuid));
}

}  // namespace hvagent::libvirt::xml
