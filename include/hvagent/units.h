// Sizes and their texts.
#pragma once
#include <cstdint>
#include <string>

namespace hvagent {

using Bytes = std::int64_t;
inline constexpr Bytes KiB = 1024;
inline constexpr Bytes MiB = 1024 * KiB;
inline constexpr Bytes GiB = 1024 * MiB;

// "1.5 GiB": for people, in messages only.
std::string human_size(Bytes bytes);

}  // namespace hvagent
