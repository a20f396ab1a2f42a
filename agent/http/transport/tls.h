// TLS for connections that never block: thin owners of OpenSSL's objects.
#pragma once
#include <memory>
#include <mutex>
#include <span>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace hvagent::http {

// What one attempt to read or write came to.
struct IoResult {
    enum class Status { done, wants_read, wants_write, closed };
    Status status = Status::done;
    std::size_t bytes = 0;
};

// One TLS connection; used by one thread at a time.
class TlsSession {
public:
    explicit TlsSession(ssl_st* session);
    ~TlsSession();
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    IoResult handshake();
    IoResult read(std::span<char> into);
    IoResult write(std::span<const char> from);
    // Decrypted bytes wait inside, so that the socket may stay silent.
    bool has_pending() const;
    void say_goodbye();

private:
    IoResult result_of(int returned);
    ssl_st* session_;
};

// Certificate, key and the rules for clients. Thread-safe.
class TlsContext {
public:
    // Error(io_failed) names the file that cannot be used and why. `client_ca` empty: clients need no certificate.
    TlsContext(const std::string& certificate, const std::string& key, const std::string& client_ca);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    // Reads the files again for the connections to come; when one of them cannot be used: Error, and nothing changes.
    void reload();
    // For a connected socket, which stays the caller's.
    std::unique_ptr<TlsSession> accept(int socket) const;

private:
    const std::string certificate_, key_, client_ca_;
    mutable std::mutex mutex_;
    ssl_ctx_st* context_;  // each session holds it too
};

}  // namespace hvagent::http
