// Enums and their wire names. Specialise EnumNames once per enum; parsing, printing, validation, OpenAPI and
// completion follow from it.
//
//   template <> struct EnumNames<StopType> {
//       static constexpr auto names = enum_names<StopType>({{StopType::grace, "grace"}, {StopType::cold, "cold"}});
//   };
#pragma once
#include <strings.h>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace hvagent {

template <class E>
struct EnumNames;

template <class E, std::size_t N>
constexpr std::array<std::pair<E, std::string_view>, N> enum_names(const std::pair<E, std::string_view> (&list)[N]) {
    std::array<std::pair<E, std::string_view>, N> out{};
    for (std::size_t i = 0; i < N; ++i) out[i] = list[i];
    return out;
}

template <class E>
concept NamedEnum = requires {
    EnumNames<E>::names.size();
};

template <NamedEnum E>
constexpr std::string_view to_text(E value) {
    for (const auto& [e, name] : EnumNames<E>::names)
        if (e == value) return name;
    return "";
}

// Case is forgiven: some clients send lower case (the real server's SDK lower-cases some values).
template <NamedEnum E>
std::optional<E> parse_enum(std::string_view text) {
    for (const auto& [e, name] : EnumNames<E>::names)
        if (text.size() == name.size() && strncasecmp(text.data(), name.data(), name.size()) == 0) return e;
    return std::nullopt;
}

}  // namespace hvagent
