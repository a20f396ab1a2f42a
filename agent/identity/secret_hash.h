// Hashes of secrets: nothing a client can log in with is stored as it is.
#pragma once
#include <string>
#include <string_view>

namespace hvagent::identity {

std::string sha256_hex(std::string_view text);
std::string sha512_hex(std::string_view text);
std::string hmac_sha1_base64(std::string_view key, std::string_view text);
bool equal_in_constant_time(std::string_view left, std::string_view right);
std::string random_text(std::size_t length);  // letters and digits
std::string random_hex(std::size_t bytes);    // two digits each

// "pbkdf2-sha256$<iterations>$<salt>$<hash>". What comes in is the client's SHA-512 of the password already; the cost is
// kept small enough for a command line that logs in before each command.
std::string hash_password(std::string_view password, int iterations);
bool is_password(std::string_view password, std::string_view stored_hash);

}  // namespace hvagent::identity
