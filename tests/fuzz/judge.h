// What a reader may do with any input: answer, or throw Error. Everything else (another exception, a bug that was caught and
// called internal) ends the fuzzer.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "hvagent/error.h"

namespace hvagent {

inline std::string text_of(const std::uint8_t* data, std::size_t size) {
    return std::string(reinterpret_cast<const char*>(data), size);
}

template <class Work>
void judge(Work work) {
    try {
        work();
    } catch (const Error& error) {
        if (error.details().empty()) std::abort();
    }
}

}  // namespace hvagent
