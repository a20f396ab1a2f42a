// Owners of libcurl's objects, and one way to set options.
#pragma once
#include <curl/curl.h>

#include <memory>
#include <string>

#include "drivers/http_client/http_settings.h"
#include "hvagent/error.h"

namespace hvagent {

struct ReleaseEasy {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ReleaseMulti {
    void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct ReleaseHeaders {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using EasyHandle = std::unique_ptr<CURL, ReleaseEasy>;
using MultiHandle = std::unique_ptr<CURLM, ReleaseMulti>;
using HeaderList = std::unique_ptr<curl_slist, ReleaseHeaders>;

template <class Value>
void set_option(CURL* handle, CURLoption option, Value value) {
    const CURLcode result = curl_easy_setopt(handle, option, value);
    if (result != CURLE_OK)
        throw Error(Code::internal, std::string("libcurl refuses an option: ") + curl_easy_strerror(result));
}

// Which protocols the URL, or a redirect, may use: names separated by commas.
inline void allow_protocols(CURL* handle, bool of_redirects, const char* names, [[maybe_unused]] long bits) {
#if LIBCURL_VERSION_NUM >= 0x075500
    set_option(handle, of_redirects ? CURLOPT_REDIR_PROTOCOLS_STR : CURLOPT_PROTOCOLS_STR, names);
#else
    (void)names;
    set_option(handle, of_redirects ? CURLOPT_REDIR_PROTOCOLS : CURLOPT_PROTOCOLS, bits);
#endif
}

// Whom we trust, and who we are.
inline void set_certificates(CURL* handle, const HttpSettings& settings) {
    if (!settings.ca_file.empty()) set_option(handle, CURLOPT_CAINFO, settings.ca_file.c_str());
    if (settings.client_cert.empty()) return;
    set_option(handle, CURLOPT_SSLCERT, settings.client_cert.c_str());
    set_option(handle, CURLOPT_SSLKEY, settings.client_key.c_str());
}

// What went wrong, in curl's words: the detailed ones when it left some.
inline std::string reason_of(CURLcode result, const char* details) {
    return (details[0] ? std::string(details) : std::string(curl_easy_strerror(result))) + " (curl error " +
           std::to_string(static_cast<int>(result)) + ")";
}

}  // namespace hvagent
