// QueryVolumeSnapshotTree: trees as the inventory lists them, each with its nodes nested in each other.
#include "agent/operations/snapshot/api.h"
#include "agent/operations/snapshot/handlers.h"

namespace hvagent::operations {
namespace {

json leaf_of(const json& snapshot, const std::map<std::string, std::vector<json>>& children) {
    json leaf{{"inventory", snapshot}, {"children", json::array()}};
    if (const auto parent = snapshot.find("parentUuid"); parent != snapshot.end()) leaf["parentUuid"] = *parent;
    if (const auto found = children.find(snapshot.at("uuid")); found != children.end())
        for (const json& child : found->second) leaf["children"].push_back(leaf_of(child, children));
    return leaf;
}

// nullopt: the tree has lost its last snapshot meanwhile.
std::optional<json> nodes_of(Services& services, const std::string& tree) {
    api::QueryRequest of_tree;
    of_tree.conditions = {"treeUuid=" + tree};
    of_tree.limit = INT32_MAX;
    of_tree.sort = "+createDate";
    const json snapshots = services.inventory.query("VolumeSnapshot", of_tree)["inventories"];
    std::optional<json> first;
    std::map<std::string, std::vector<json>> children;
    for (const json& snapshot : snapshots)
        if (snapshot.contains("parentUuid"))
            children[snapshot["parentUuid"]].push_back(snapshot);
        else
            first = snapshot;
    if (first) return leaf_of(*first, children);
    return std::nullopt;
}

// Whether the member `tree` is wanted; it is no field that the inventory knows.
bool take_tree(std::vector<std::string>& fields) {
    if (fields.empty()) return true;
    std::vector<std::string> names;
    for (const std::string& list : fields)
        for (std::size_t at = 0; at <= list.size();) {
            const std::size_t end = std::min(list.find(',', at), list.size());
            names.push_back(list.substr(at, end - at));
            at = end + 1;
        }
    if (std::erase(names, "tree") == 0) return false;
    names.emplace_back("uuid");
    fields = names;
    return true;
}

}  // namespace

json query_trees(Services& services, const api::QueryRequest& request) {
    api::QueryRequest plain = request;
    const bool with_nodes = take_tree(plain.fields);
    json answer = services.inventory.query("VolumeSnapshotTree", plain);
    if (!with_nodes || !answer.contains("inventories")) return answer;
    for (json& tree : answer["inventories"])
        if (auto nodes = nodes_of(services, tree.at("uuid"))) tree["tree"] = std::move(*nodes);
    return answer;
}

void add_tree_shapes(std::vector<api::ResourceShape>& shapes) {
    for (api::ResourceShape& shape : shapes)
        if (shape.resource == "VolumeSnapshotTree") shape.nested.push_back({"tree", "VolumeSnapshotLeaf", false});
    api::ResourceShape leaf;
    leaf.resource = "VolumeSnapshotLeaf";
    leaf.wire_class = "org.zstack.header.storage.snapshot.VolumeSnapshotTree$SnapshotLeafInventory";
    leaf.fields.push_back({"parentUuid", api::FieldType::text, {}, false, false, "absent: the first of its tree"});
    leaf.nested = {{"inventory", "VolumeSnapshot", false}, {"children", "VolumeSnapshotLeaf", true}};
    shapes.push_back(std::move(leaf));
}

}  // namespace hvagent::operations
