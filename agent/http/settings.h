// What the HTTP server is told by the configuration.
#pragma once
#include <cstddef>
#include <string>

#include "hvagent/clock.h"
#include "hvagent/units.h"

namespace hvagent::http {

struct EventStreamSettings {
    std::size_t most_readers = 64;
    std::size_t most_unsent = 256 * 1024;  // of one reader; more is read when it has taken some
    milliseconds patience{10000};          // a reader that takes nothing for so long is cut
    milliseconds heartbeat{15000};
};

struct FileStreamSettings {
    std::size_t most = 64;
    std::size_t most_threads = 4;           // that read
    std::size_t most_unsent = 1024 * 1024;  // of one file; more is read when the client has taken some
    std::size_t piece = 256 * 1024;
};

struct HttpSettings {
    std::string listen = "127.0.0.1:8080";    // host:port, [address]:port; port 0 takes any free one
    bool insecure = false;                    // allows plain HTTP on an address other than loopback
    std::string tls_cert, tls_key;            // PEM files; both or none
    std::string client_ca;                    // PEM file; clients must show a certificate signed by it
    std::string metrics_public = "loopback";  // who reads /metrics without a session: loopback, always or never
    std::string metrics_token;                // reads /metrics as well: "Authorization: Bearer <token>"
    std::size_t max_connections = 4096;
    Bytes max_body = MiB;
    std::size_t max_threads = 16;            // for requests that are answered from memory and the store
    std::size_t max_slow_threads = 16;       // for those that ask libvirt or a guest before they answer
    std::size_t max_submission_threads = 8;  // for jobs on their way to the disk
    std::size_t max_peer_threads = 16;       // for requests of other agents
    milliseconds request_timeout{30000};     // from the first byte of a request to its last
    milliseconds idle_timeout{60000};        // between requests of a connection
    EventStreamSettings event_streams;
    FileStreamSettings file_streams;
};

}  // namespace hvagent::http
