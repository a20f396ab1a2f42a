// A URL taken apart, and what of it may be shown.
#pragma once
#include <string>

namespace hvagent {

struct Url {
    std::string scheme;  // lower case
    std::string host;
    std::string origin;  // scheme, host and port: what a connection is kept for
    std::string path;    // decoded
    std::string shown;   // without user, password and query, which often holds a signature
};

// Error(http_failed) when it is none.
Url parse_url(const std::string& text);

}  // namespace hvagent
