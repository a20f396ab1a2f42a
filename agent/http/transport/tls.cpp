#include "agent/http/transport/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "hvagent/error.h"

namespace hvagent::http {
namespace {

std::string openssl_reason() {
    std::string text;
    while (const unsigned long number = ERR_get_error()) {
        char line[256];
        ERR_error_string_n(number, line, sizeof line);
        text += (text.empty() ? "" : "; ") + std::string(line);
    }
    return text.empty() ? "no reason given" : text;
}

[[noreturn]] void refuse(const std::string& what, const std::string& file) {
    throw Error(Code::io_failed, what + " " + file + " cannot be used: " + openssl_reason());
}

void demand_client_certificates(SSL_CTX* context, const std::string& file) {
    if (SSL_CTX_load_verify_locations(context, file.c_str(), nullptr) != 1) refuse("the CA file for clients", file);
    STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(file.c_str());
    if (!names) refuse("the CA file for clients", file);
    SSL_CTX_set_client_CA_list(context, names);  // takes the list over
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

// The caller's to free.
SSL_CTX* make_context(const std::string& certificate, const std::string& key, const std::string& client_ca) {
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> owner(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    SSL_CTX* context = owner.get();
    if (!context) throw Error(Code::internal, "no TLS: " + openssl_reason());
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    // Of TLS 1.2 only what is as good as 1.3: a recorded connection stays closed when the key is lost.
    if (SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM") != 1)
        throw Error(Code::internal, "no ciphers: " + openssl_reason());
    SSL_CTX_set_mode(context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    // Sessions resumed with client certificates need a context of their own to be told apart.
    const unsigned char name[] = "hvagent";
    SSL_CTX_set_session_id_context(context, name, sizeof name - 1);
    if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) refuse("the certificate", certificate);
    if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) refuse("the key", key);
    if (SSL_CTX_check_private_key(context) != 1) refuse("the key does not fit the certificate:", key);
    if (!client_ca.empty()) demand_client_certificates(context, client_ca);
    return owner.release();
}

}  // namespace

TlsSession::TlsSession(ssl_st* session) : session_(session) {}

TlsSession::~TlsSession() {
    SSL_free(session_);
}

IoResult TlsSession::result_of(int returned) {
    using Status = IoResult::Status;
    if (returned > 0) return {Status::done, static_cast<std::size_t>(returned)};
    switch (SSL_get_error(session_, returned)) {
        case SSL_ERROR_WANT_READ: return {Status::wants_read, 0};
        case SSL_ERROR_WANT_WRITE: return {Status::wants_write, 0};
    }
    return {Status::closed, 0};
}

// OpenSSL's error queue is per thread and SSL_get_error() looks at it: it must be empty before each call.
IoResult TlsSession::handshake() {
    ERR_clear_error();
    return result_of(SSL_accept(session_));
}

IoResult TlsSession::read(std::span<char> into) {
    ERR_clear_error();
    return result_of(SSL_read(session_, into.data(), static_cast<int>(into.size())));
}

IoResult TlsSession::write(std::span<const char> from) {
    ERR_clear_error();
    return result_of(SSL_write(session_, from.data(), static_cast<int>(from.size())));
}

bool TlsSession::has_pending() const {
    return SSL_has_pending(session_) == 1;
}

void TlsSession::say_goodbye() {
    ERR_clear_error();
    if (SSL_is_init_finished(session_)) SSL_shutdown(session_);
}

TlsContext::TlsContext(const std::string& certificate, const std::string& key, const std::string& client_ca)
    : certificate_(certificate), key_(key), client_ca_(client_ca), context_(make_context(certificate, key, client_ca)) {}

void TlsContext::reload() {
    SSL_CTX* context = make_context(certificate_, key_, client_ca_);
    {
        const std::lock_guard lock(mutex_);
        std::swap(context_, context);
    }
    SSL_CTX_free(context);
}

TlsContext::~TlsContext() {
    SSL_CTX_free(context_);
}

std::unique_ptr<TlsSession> TlsContext::accept(int socket) const {
    std::unique_lock lock(mutex_);
    SSL* session = SSL_new(context_);
    lock.unlock();
    if (!session || SSL_set_fd(session, socket) != 1) {
        SSL_free(session);
        throw Error(Code::internal, "no TLS for a connection: " + openssl_reason());
    }
    return std::make_unique<TlsSession>(session);
}

}  // namespace hvagent::http
