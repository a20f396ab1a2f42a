#include "agent/identity/secret_hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <charconv>
#include <vector>

#include "hvagent/error.h"

namespace hvagent::identity {
namespace {

constexpr std::size_t hash_bytes = 32;
constexpr std::size_t salt_bytes = 16;
constexpr std::string_view scheme = "pbkdf2-sha256";

std::string to_hex(const unsigned char* bytes, std::size_t count) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(count * 2);
    for (std::size_t i = 0; i < count; ++i) {
        text += digits[bytes[i] >> 4];
        text += digits[bytes[i] & 15];
    }
    return text;
}

std::string digest_hex(std::string_view text, const EVP_MD* kind) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned length = 0;
    if (EVP_Digest(text.data(), text.size(), out.data(), &length, kind, nullptr) != 1)
        throw Error(Code::internal, "OpenSSL gave no digest");
    return to_hex(out.data(), length);
}

std::string derive(std::string_view password, std::string_view salt, int iterations) {
    std::array<unsigned char, hash_bytes> out{};
    if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                          reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()), iterations,
                          EVP_sha256(), static_cast<int>(out.size()), out.data()) != 1)
        throw Error(Code::internal, "OpenSSL derived no key from a password");
    return to_hex(out.data(), out.size());
}

std::vector<std::string_view> parts_of(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (auto at = text.find(separator); at != std::string_view::npos; at = text.find(separator)) {
        parts.push_back(text.substr(0, at));
        text.remove_prefix(at + 1);
    }
    parts.push_back(text);
    return parts;
}

}  // namespace

std::string sha256_hex(std::string_view text) {
    return digest_hex(text, EVP_sha256());
}

std::string sha512_hex(std::string_view text) {
    return digest_hex(text, EVP_sha512());
}

std::string hmac_sha1_base64(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned length = 0;
    if (!HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
              text.size(), mac.data(), &length))
        throw Error(Code::internal, "OpenSSL gave no HMAC-SHA1");
    std::array<unsigned char, 64> out{};
    const int written = EVP_EncodeBlock(out.data(), mac.data(), static_cast<int>(length));
    return {reinterpret_cast<const char*>(out.data()), static_cast<std::size_t>(written)};
}

bool equal_in_constant_time(std::string_view left, std::string_view right) {
    return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::string random_text(std::size_t length) {
    constexpr std::string_view alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    constexpr unsigned fair = 256 - 256 % alphabet.size();  // bytes from here on would favour the first letters
    std::string text;
    while (text.size() < length) {
        unsigned char byte = 0;
        if (RAND_bytes(&byte, 1) != 1) throw Error(Code::internal, "OpenSSL gave no random bytes");
        if (byte < fair) text += alphabet[byte % alphabet.size()];
    }
    return text;
}

std::string random_hex(std::size_t bytes) {
    std::vector<unsigned char> random(bytes);
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
        throw Error(Code::internal, "OpenSSL gave no random bytes");
    return to_hex(random.data(), random.size());
}

std::string hash_password(std::string_view password, int iterations) {
    std::array<unsigned char, salt_bytes> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        throw Error(Code::internal, "OpenSSL gave no random bytes");
    const std::string salt = to_hex(bytes.data(), bytes.size());
    return std::string(scheme) + "$" + std::to_string(iterations) + "$" + salt + "$" + derive(password, salt, iterations);
}

bool is_password(std::string_view password, std::string_view stored_hash) {
    const auto parts = parts_of(stored_hash, '$');
    int iterations = 0;
    if (parts.size() != 4 || parts[0] != scheme) return false;
    std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), iterations);
    return iterations > 0 && equal_in_constant_time(derive(password, parts[2], iterations), parts[3]);
}

}  // namespace hvagent::identity
