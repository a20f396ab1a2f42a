// TLS with certificates made for the test.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tests/fakes/temp_directory.h"
#include "tests/fakes/thrown_error.h"
#include "tests/unit/http/server_fixture.h"

namespace hvagent::http {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

struct Identification {
    Key key{nullptr, EVP_PKEY_free};
    Certificate certificate{nullptr, X509_free};
};

// Signed by itself where there is no `issuer`.
Identification make_identification(const char* name, const Identification* issuer) {
    Identification made;
    made.key.reset(EVP_EC_gen("P-256"));
    made.certificate.reset(X509_new());
    X509* certificate = made.certificate.get();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), issuer ? 2 : 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, made.key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer->certificate.get() : certificate));
    if (!issuer) {
        X509_EXTENSION* ca = X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
        X509_add_ext(certificate, ca, -1);
        X509_EXTENSION_free(ca);
    }
    X509_sign(certificate, issuer ? issuer->key.get() : made.key.get(), EVP_sha256());
    return made;
}

void write(const Identification& identification, const std::string& certificate_path, const std::string& key_path) {
    FILE* file = fopen(certificate_path.c_str(), "w");
    PEM_write_X509(file, identification.certificate.get());
    fclose(file);
    file = fopen(key_path.c_str(), "w");
    PEM_write_PrivateKey(file, identification.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    fclose(file);
}

const std::string health = "GET /hvagent/v1/health HTTP/1.1\r\nConnection: close\r\n\r\n";

class TlsTest : public HttpServerTest {
public:
    TlsTest() : authority(make_identification("authority", nullptr)), agent(make_identification("localhost", &authority)) {
        write(authority, directory.file("ca.pem"), directory.file("ca.key"));
        write(agent, directory.file("agent.pem"), directory.file("agent.key"));
        settings.tls_cert = directory.file("agent.pem");
        settings.tls_key = directory.file("agent.key");
    }

    // The answer over TLS; empty when there is none. Sends in pieces of `piece` bytes.
    std::string talk(const std::string& request, const Identification* as, std::size_t piece = 1 << 20) {
        const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
        SSL_CTX_load_verify_locations(context.get(), directory.file("ca.pem").c_str(), nullptr);
        SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
        if (configure_client) configure_client(context.get());
        if (as) {
            SSL_CTX_use_certificate(context.get(), as->certificate.get());
            SSL_CTX_use_PrivateKey(context.get(), as->key.get());
        }
        const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new_ssl_connect(context.get()), BIO_free_all);
        BIO_set_conn_hostname(bio.get(), ("127.0.0.1:" + std::to_string(server->port())).c_str());
        if (BIO_do_connect(bio.get()) <= 0) return "";
        for (std::size_t at = 0; at < request.size(); at += piece)
            if (BIO_write(bio.get(), request.data() + at, static_cast<int>(std::min(piece, request.size() - at))) <= 0)
                return "";
        std::string answer;
        char bytes[4096];
        for (int got = 0; (got = BIO_read(bio.get(), bytes, sizeof bytes)) > 0;)
            answer.append(bytes, static_cast<std::size_t>(got));
        return answer;
    }

    // Whether a client that takes this version and these ciphers alone is served.
    bool serves(int version, const char* ciphers) {
        configure_client = [=](SSL_CTX* context) {
            SSL_CTX_set_security_level(context, 0);
            SSL_CTX_set_min_proto_version(context, version);
            SSL_CTX_set_max_proto_version(context, version);
            if (SSL_CTX_set_cipher_list(context, ciphers) != 1) ADD_FAILURE() << "no cipher " << ciphers;
        };
        return talk(health, nullptr).starts_with("HTTP/1.1 200");
    }

    std::function<void(SSL_CTX*)> configure_client;
    TempDirectory directory;
    Identification authority;
    Identification agent;
};

TEST_F(TlsTest, AnswersOverTls) {
    start();
    EXPECT_TRUE(talk(health, nullptr).starts_with("HTTP/1.1 200"));
    EXPECT_TRUE(talk(health, nullptr, 1).starts_with("HTTP/1.1 200"));
    const std::string document = talk("GET /hvagent/v1/openapi.json HTTP/1.1\r\n\r\n" + health, nullptr);
    EXPECT_TRUE(document.starts_with("HTTP/1.1 200"));
    EXPECT_NE(document.find("\"uptimeSeconds\""), std::string::npos) << "the second of two requests in one record";
}

TEST_F(TlsTest, ThePlaceOfAJobIsSecureToo) {
    start();
    const std::string login =
        R"({"logInByAccount":{"accountName":"admin","password":")" + identity::sha512_hex("password") + "\"}}";
    const std::string answer = talk(request_text("PUT", "/v1/accounts/login", "Connection: close\r\n", login), nullptr);
    const std::string uuid = json::parse(answer.substr(answer.find("\r\n\r\n") + 4))["inventory"]["uuid"];
    const std::string job =
        talk(request_text("POST", "/v1/zones", "Connection: close\r\nAuthorization: OAuth " + uuid + "\r\n",
                          R"({"params":{"name":"z"}})"),
             nullptr);
    EXPECT_NE(job.find("\"https://agent:8080/zstack/v1/api-jobs/"), std::string::npos) << job;
}

TEST_F(TlsTest, PlainHttpGetsNothing) {
    start();
    RawClient client(server->port());
    client.send(health + "\r\n");
    EXPECT_EQ(client.receive().status, 0);
    EXPECT_TRUE(talk(health, nullptr).starts_with("HTTP/1.1 200")) << "and others are served as before";
}

TEST_F(TlsTest, WithAClientAuthorityOnlyItsCertificatesGetIn) {
    settings.client_ca = directory.file("ca.pem");
    start();
    const Identification known = make_identification("client", &authority);
    const Identification stranger = make_identification("stranger", nullptr);
    EXPECT_TRUE(talk(health, &known).starts_with("HTTP/1.1 200"));
    EXPECT_EQ(talk(health, nullptr), "");
    EXPECT_EQ(talk(health, &stranger), "");
}

TEST_F(TlsTest, OldVersionsAndWeakCiphersAreRefused) {
    start();
    EXPECT_TRUE(serves(TLS1_3_VERSION, "ALL"));
    EXPECT_TRUE(serves(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"));
    EXPECT_FALSE(serves(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA"));
    EXPECT_FALSE(serves(TLS1_2_VERSION, "AECDH-AES128-SHA"));
    EXPECT_FALSE(serves(TLS1_1_VERSION, "ALL"));
    EXPECT_FALSE(serves(TLS1_VERSION, "ALL"));
}

TEST_F(TlsTest, ARenewedCertificateIsShownAfterTheReloadAndABrokenOneChangesNothing) {
    start();
    const Identification other_authority = make_identification("other authority", nullptr);
    write(make_identification("localhost", &other_authority), directory.file("agent.pem"), directory.file("agent.key"));
    EXPECT_TRUE(talk(health, nullptr).starts_with("HTTP/1.1 200")) << "the old one, until it is told";
    server->reload_certificates();
    EXPECT_EQ(talk(health, nullptr), "") << "a client that trusts the old authority";
    write(other_authority, directory.file("ca.pem"), directory.file("other.key"));
    EXPECT_TRUE(talk(health, nullptr).starts_with("HTTP/1.1 200"));

    write_file(directory.file("agent.key"), "half written");
    EXPECT_EQ(thrown_error([&] { server->reload_certificates(); }).code(), Code::io_failed);
    EXPECT_TRUE(talk(health, nullptr).starts_with("HTTP/1.1 200"));
}

TEST_F(TlsTest, AKeyThatDoesNotFitIsNamed) {
    settings.tls_key = directory.file("ca.key");
    try {
        start();
        FAIL() << "started with the wrong key";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::io_failed);
        EXPECT_NE(error.details().find("ca.key"), std::string::npos) << error.details();
    }
}

}  // namespace
}  // namespace hvagent::http
