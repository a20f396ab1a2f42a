#include "hvagent/certificate.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <system_error>

#include "hvagent/error.h"

namespace hvagent {
namespace {

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
struct FreeCertificate {
    void operator()(X509* certificate) const { X509_free(certificate); }
};

std::optional<Time> end_of(const X509* certificate) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) return std::nullopt;
    return std::chrono::system_clock::from_time_t(timegm(&parts));
}

}  // namespace

Time certificate_end(const std::string& pem_file) {
    const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(pem_file.c_str(), "re"));
    if (!file)
        throw Error(Code::io_failed,
                    "the certificate " + pem_file + " cannot be read: " + std::generic_category().message(errno));
    std::optional<Time> first;
    for (;;) {
        const std::unique_ptr<X509, FreeCertificate> certificate(PEM_read_X509(file.get(), nullptr, nullptr, nullptr));
        if (!certificate) break;
        const std::optional<Time> end = end_of(certificate.get());
        if (end && (!first || *end < *first)) first = end;
    }
    if (!first) throw Error(Code::io_failed, pem_file + " holds no certificate");
    return *first;
}

}  // namespace hvagent
