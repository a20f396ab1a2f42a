// What still depends on a thing that is to be deleted.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "hvagent/error.h"

namespace hvagent::operations {

class Holdings {
public:
    // `what` in the singular.
    Holdings& add(std::int64_t count, std::string_view what) {
        if (count == 0) return *this;
        text_ += (text_.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
        return *this;
    }
    // Error(operation_failed) unless there is nothing: "the zone z still holds 2 clusters".
    void refuse_if_any(const std::string& thing) const {
        if (!text_.empty()) throw Error(Code::operation_failed, thing + " still holds " + text_);
    }

private:
    std::string text_;
};

}  // namespace hvagent::operations
