// Where an image comes from, and what of it may be shown.
#pragma once
#include <string>

namespace hvagent::operations {

// In lower case; "file" for an absolute path; empty for what is no URL.
std::string scheme_of(const std::string& url);
// Without user, password and query, which often holds a signature: for records, messages and logs.
std::string without_secrets(const std::string& url);

}  // namespace hvagent::operations
