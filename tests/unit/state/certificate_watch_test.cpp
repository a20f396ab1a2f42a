#include "agent/state/certificate_watch.h"

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "hvagent/certificate.h"
#include "hvagent/error.h"
#include "tests/fakes/temp_directory.h"
#include "tests/unit/state/watching.h"

namespace hvagent::state {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void write_certificate(const std::string& path, seconds lifetime, const char* mode = "w") {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), lifetime.count());
    X509_set_pubkey(certificate.get(), key.get());
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    FILE* file = fopen(path.c_str(), mode);
    PEM_write_X509(file, certificate.get());
    fclose(file);
}

constexpr seconds day{86400};

class Certificates : public Watching {
protected:
    TempDirectory directory;
    const std::string path = directory.file("agent.pem");
    Told told;
    CertificateWatch watch{
        timer, clock, {{"[http] tls_cert", path}}, [this](const std::string& event, const std::string& details) {
            told.add(event + " " + details);
        }};
};

TEST_F(Certificates, AreToldOfOnceAtEachLineAndAtTheEnd) {
    write_certificate(path, 40 * day + seconds(300));
    watch.start();
    settle();
    EXPECT_THAT(told.all(), ElementsAre());
    pass(11 * day);
    pass(seconds(3601));
    EXPECT_THAT(told.all(), ElementsAre(HasSubstr("CertificateExpires [http] tls_cert")));
    EXPECT_THAT(told.all().front(), HasSubstr("29 days left"));
    for (const int days : {16, 7, 4, 2}) pass(days * day);
    const auto all = told.all();
    ASSERT_EQ(all.size(), 5u);
    EXPECT_THAT(all[1], HasSubstr("12 days left"));
    EXPECT_THAT(all[2], HasSubstr("5 days left"));
    EXPECT_THAT(all[3], HasSubstr("1 days left"));
    EXPECT_THAT(all[4], HasSubstr("CertificateExpired"));
}

TEST_F(Certificates, ThatWereReplacedAreJudgedAnew) {
    write_certificate(path, 2 * day);
    watch.start();
    settle();
    write_certificate(path, 400 * day);
    pass(seconds(3601));
    write_certificate(path, 2 * day);
    pass(seconds(3601));
    EXPECT_EQ(told.all().size(), 2u);
}

TEST_F(Certificates, ThatCannotBeReadAreToldOfOnce) {
    watch.start();
    settle();
    pass(seconds(3601));
    EXPECT_THAT(told.all(), ElementsAre(HasSubstr("CertificateUnreadable [http] tls_cert")));
}

TEST_F(Certificates, OfAChainTheFirstThatEndsCounts) {
    write_certificate(path, 100 * day);
    write_certificate(path, 3 * day, "a");
    const auto left = certificate_end(path) - std::chrono::system_clock::now();
    EXPECT_LT(left, 4 * day);
    EXPECT_GT(left, 2 * day);
}

TEST_F(Certificates, AFileWithoutOneIsRefused) {
    FILE* file = fopen(path.c_str(), "w");
    fputs("no certificate\n", file);
    fclose(file);
    EXPECT_THROW(certificate_end(path), Error);
}

}  // namespace
}  // namespace hvagent::state
