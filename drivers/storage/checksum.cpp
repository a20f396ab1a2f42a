#include "drivers/storage/checksum.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

namespace hvagent {
namespace {

constexpr std::size_t buffer_size = 1 << 20;

struct ReleaseDigest {
    void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
};

void require(int result, const char* algorithm) {
    // A host in FIPS mode may refuse it.
    if (result != 1) throw Error(Code::no_capability, std::string("OpenSSL on this host does not compute ") + algorithm);
}

std::string to_hex(const unsigned char* bytes, unsigned count) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (unsigned i = 0; i < count; ++i) {
        text += digits[bytes[i] >> 4];
        text += digits[bytes[i] & 15];
    }
    return text;
}

}  // namespace

std::string checksum_of(const FileHandle& file, const std::string& path, const char* algorithm, Cancellation& cancel) {
    const std::unique_ptr<EVP_MD_CTX, ReleaseDigest> digest(EVP_MD_CTX_new());
    const EVP_MD* kind = EVP_get_digestbyname(algorithm);
    require(kind ? EVP_DigestInit_ex(digest.get(), kind, nullptr) : 0, algorithm);
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    std::vector<char> buffer(buffer_size);
    for (off_t at = 0;;) {
        cancel.check();
        const ssize_t got = ::pread(file.get(), buffer.data(), buffer.size(), at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw file_error("cannot read " + path, errno);
        if (got == 0) break;
        require(EVP_DigestUpdate(digest.get(), buffer.data(), static_cast<std::size_t>(got)), algorithm);
        at += got;
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> result;
    unsigned length = 0;
    require(EVP_DigestFinal_ex(digest.get(), result.data(), &length), algorithm);
    return to_hex(result.data(), length);
}

}  // namespace hvagent
