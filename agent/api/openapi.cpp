#include "agent/api/openapi.h"

namespace hvagent::api {

json make_openapi(const Catalog&, const std::vector<ResourceShape>&, const std::string&) {
    throw Error(Code::unimplemented, "not written yet");
}

}  // namespace hvagent::api
