// How a resource looks on the wire: fields, nested resources, joins. Declared once per resource by the inventory; read by
// the query language, the schema of answers, the OpenAPI document and command completion.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace hvagent::api {

enum class FieldType { text, integer, real, boolean, time, text_list };

struct ShapeField {
    std::string name;  // "memorySize"
    FieldType type = FieldType::text;
    std::vector<std::string> values;  // of an enum
    bool queryable = true;
    bool always = false;  // never absent
    std::string doc;
};

struct ShapeNested {
    std::string name;      // "vmNics"
    std::string resource;  // "VmNic"
    bool is_list = true;
};

struct ShapeExpand {  // "zone" of zone.name
    std::string name;
    std::string resource;
};

struct ResourceShape {
    std::string resource;    // "VmInstance"
    std::string wire_class;  // "org.zstack.header.vm.VmInstanceInventory"
    std::string tag_type;    // "VmInstanceVO"; empty: cannot be tagged
    std::vector<ShapeField> fields;
    std::vector<ShapeNested> nested;
    std::vector<ShapeExpand> expands;
    std::vector<std::pair<std::string, std::string>> class_by_type;  // wire class of the rows with this `type`
};

}  // namespace hvagent::api
