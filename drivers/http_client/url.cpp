#include "drivers/http_client/url.h"

#include <curl/curl.h>

#include <memory>

#include "hvagent/error.h"

namespace hvagent {
namespace {

struct ReleaseUrl {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, ReleaseUrl>;

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
    std::string copy(text);
    curl_free(text);
    return copy;
}

}  // namespace

Url parse_url(const std::string& text) {
    const UrlHandle url(curl_url());
    // What does not parse is not shown: a password in it could not be told apart.
    if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
        throw Error(Code::http_failed, "not a URL (expected scheme://host/path)");
    }
    Url result;
    result.scheme = part(url.get(), CURLUPART_SCHEME);
    result.host = part(url.get(), CURLUPART_HOST);
    result.path = part(url.get(), CURLUPART_PATH, CURLU_URLDECODE);
    result.origin = result.scheme + "://" + result.host + ":" + part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
    const bool has_query = !part(url.get(), CURLUPART_QUERY).empty();
    for (const CURLUPart secret :
         {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
        curl_url_set(url.get(), secret, nullptr, 0);
    }
    result.shown = part(url.get(), CURLUPART_URL) + (has_query ? "?..." : "");
    return result;
}

}  // namespace hvagent
