#include "agent/operations/catalog.h"

#include "agent/operations/cdrom/api.h"
#include "agent/operations/clone/api.h"
#include "agent/operations/flatten/api.h"
#include "agent/operations/image/api.h"
#include "agent/operations/migration/api.h"
#include "agent/operations/network/api.h"
#include "agent/operations/network/network_services.h"
#include "agent/operations/offering/api.h"
#include "agent/operations/place/api.h"
#include "agent/operations/scheduler/api.h"
#include "agent/operations/snapshot/api.h"
#include "agent/operations/storage/api.h"
#include "agent/operations/system/api.h"
#include "agent/operations/tag/api.h"
#include "agent/operations/vm/api.h"
#include "agent/operations/volume/api.h"

namespace hvagent::operations {

api::Catalog make_catalog(Services& services, std::vector<api::Table> others) {
    std::vector<api::Table> tables{
        vm_api(services),        image_api(services), offering_api(services), place_api(services),  storage_api(services),
        network_api(services),   tag_api(services),   system_api(services),   volume_api(services), snapshot_api(services),
        scheduler_api(services), cdrom_api(services), flatten_api(services),  clone_api(services),  migration_api(services),
    };
    for (api::Table& table : others) tables.push_back(std::move(table));
    return api::Catalog(std::move(tables));
}

std::vector<api::ResourceShape> resource_shapes() {
    std::vector<api::ResourceShape> shapes = inventory::Inventory::shapes();
    shapes.push_back(network_provider_shape());
    for (const api::ResourceShape& shape : system_shapes()) shapes.push_back(shape);
    for (const api::ResourceShape& shape : clone_shapes()) shapes.push_back(shape);
    add_tree_shapes(shapes);
    return shapes;
}

}  // namespace hvagent::operations
