#include "agent/operations/attachments.h"

namespace hvagent::operations {

bool is_attached(const inventory::Inventory& inventory, const std::string& kind, const std::string& from,
                 const std::string& to) {
    return inventory.count<Attachment>({{"kind", kind}, {"from", from}, {"to", to}}) > 0;
}

void attach(inventory::Inventory& inventory, const std::string& kind, const std::string& from, const std::string& to) {
    inventory.transaction([&] {
        if (is_attached(inventory, kind, from, to)) return;
        Attachment attachment;
        attachment.uuid = from + "-" + to;
        attachment.kind = kind;
        attachment.from = from;
        attachment.to = to;
        inventory.insert(attachment);
    });
}

void remove_attachments(inventory::Inventory& inventory, const std::string& uuid) {
    inventory.transaction([&] {
        for (const std::string kind : {primary_storage_to_cluster, backup_storage_to_zone, l2_network_to_cluster})
            for (const char* end : {"from", "to"})
                for (const Attachment& one : inventory.list<Attachment>({{"kind", kind}, {end, uuid}}))
                    inventory.remove<Attachment>(one.uuid);
    });
}

}  // namespace hvagent::operations
