#include "hvagent/ids.h"

#include <sys/random.h>

#include <array>
#include <cstdint>

#include "hvagent/error.h"

namespace hvagent {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";
constexpr std::array<std::size_t, 4> dash_at{8, 13, 18, 23};

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

std::string make_uuid() {
    std::array<std::uint8_t, 16> bytes{};
    if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        throw Error(Code::internal, "the kernel gave no random bytes");
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
    std::string text;
    text.reserve(32);
    for (std::uint8_t byte : bytes) {
        text += hex_digits[byte >> 4];
        text += hex_digits[byte & 15];
    }
    return text;
}

bool is_uuid(std::string_view text) {
    if (text.size() != 32) return false;
    for (char c : text)
        if (!is_hex(c)) return false;
    return true;
}

bool is_resource_uuid(std::string_view text) {
    return is_uuid(text) && text[12] >= '1' && text[12] <= '5' &&
           (text[16] == '8' || text[16] == '9' || text[16] == 'a' || text[16] == 'b');
}

std::string with_dashes(std::string_view uuid) {
    if (!is_uuid(uuid)) return std::string(uuid);
    std::string text(uuid);
    for (std::size_t at : dash_at) text.insert(at, 1, '-');
    return text;
}

std::string without_dashes(std::string_view uuid) {
    if (uuid.size() != 36) return std::string(uuid);
    std::string text;
    for (char c : uuid)
        if (c != '-') text += c;
    return is_uuid(text) ? text : std::string(uuid);
}

}  // namespace hvagent
