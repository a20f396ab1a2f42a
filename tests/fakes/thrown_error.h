// The Error an action throws, for assertions on its code and text.
#pragma once
#include <gtest/gtest.h>

#include <functional>

#include "hvagent/error.h"

namespace hvagent {

inline Error thrown_error(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "no error was thrown";
    return Error(Code::internal, "no error was thrown");
}

}  // namespace hvagent
