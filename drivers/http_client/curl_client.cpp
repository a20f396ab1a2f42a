#include "drivers/http_client/curl_client.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "drivers/http_client/connection_pool.h"
#include "drivers/http_client/download.h"
#include "drivers/http_client/url.h"

namespace hvagent {
namespace {

struct KeptBody {
    HttpReply& reply;
    const std::size_t longest;
};

std::size_t keep_body(char* data, std::size_t, std::size_t size, void* context) {
    auto& [reply, longest] = *static_cast<KeptBody*>(context);
    const std::size_t kept = std::min(size, longest - reply.body.size());
    reply.body.append(data, kept);
    if (kept < size) reply.is_cut = true;
    return size;  // the rest is read and dropped, so that the connection can be used again
}

std::size_t keep_date(char* line, std::size_t, std::size_t size, void* context) {
    constexpr std::string_view name = "date:";
    if (size <= name.size() || ::strncasecmp(line, name.data(), name.size()) != 0) return size;
    const std::time_t date = curl_getdate(std::string(line + name.size(), size - name.size()).c_str(), nullptr);
    if (date >= 0) static_cast<HttpReply*>(context)->date = from_unix_ms(static_cast<std::int64_t>(date) * 1000);
    return size;
}

bool is_safe_header(const std::string& text) {
    return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

HeaderList to_header_list(const std::map<std::string, std::string>& headers) {
    HeaderList list;
    const auto add = [&](const std::string& line) {
        curl_slist* longer = curl_slist_append(list.get(), line.c_str());
        if (!longer) throw Error(Code::internal, "out of memory");
        (void)list.release();
        list.reset(longer);
    };
    add("Expect:");  // no waiting for "100 Continue"
    for (const auto& [name, value] : headers) {
        if (!is_safe_header(name) || !is_safe_header(value)) {
            throw Error(Code::invalid_argument, "a header of the request holds a control character");
        }
        add(value.empty() ? name + ";" : name + ": " + value);
    }
    return list;
}

}  // namespace

CurlClient::CurlClient(HttpSettings settings)
    : settings_(std::move(settings)), connections_(std::make_unique<ConnectionPool>()) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw Error(Code::internal, "libcurl cannot be initialised");
}

CurlClient::~CurlClient() = default;

HttpReply CurlClient::post(const std::string& url, const std::map<std::string, std::string>& headers,
                           const std::string& body, milliseconds timeout) {
    HttpRequest request;
    request.url = url;
    request.headers = headers;
    request.body = body;
    request.timeout = timeout;
    return send(request);
}

HttpReply CurlClient::send(const HttpRequest& request) {
    const Url target = parse_url(request.url);
    const HeaderList header_list = to_header_list(request.headers);
    EasyHandle handle = connections_->take(target.origin);
    HttpReply reply;
    KeptBody kept{reply, static_cast<std::size_t>(request.longest_reply)};
    std::array<char, CURL_ERROR_SIZE> details{};

    allow_protocols(handle.get(), false, "http,https", CURLPROTO_HTTP | CURLPROTO_HTTPS);
    set_option(handle.get(), CURLOPT_NOSIGNAL, 1L);
    set_option(handle.get(), CURLOPT_URL, request.url.c_str());
    set_option(handle.get(), CURLOPT_PROXY, "");
    set_option(handle.get(), CURLOPT_POST, 1L);
    if (request.method != "POST") set_option(handle.get(), CURLOPT_CUSTOMREQUEST, request.method.c_str());
    set_option(handle.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set_option(handle.get(), CURLOPT_POSTFIELDS, request.body.data());
    set_option(handle.get(), CURLOPT_HTTPHEADER, header_list.get());
    set_option(handle.get(), CURLOPT_TIMEOUT_MS, std::max<long>(1, static_cast<long>(request.timeout.count())));
    set_option(handle.get(), CURLOPT_ERRORBUFFER, details.data());
    set_option(handle.get(), CURLOPT_WRITEFUNCTION, &keep_body);
    set_option(handle.get(), CURLOPT_WRITEDATA, static_cast<void*>(&kept));
    set_option(handle.get(), CURLOPT_HEADERFUNCTION, &keep_date);
    set_option(handle.get(), CURLOPT_HEADERDATA, static_cast<void*>(&reply));
    set_certificates(handle.get(), settings_);

    const CURLcode result = curl_easy_perform(handle.get());
    if (result != CURLE_OK) {
        throw Error(Code::http_failed, request.method + " " + target.shown + ": " + reason_of(result, details.data()));
    }
    long status = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    reply.status = static_cast<int>(status);
    connections_->give_back(target.origin, std::move(handle));
    return reply;
}

void CurlClient::download(const std::string& url, const std::string& path, Bytes limit,
                          const std::function<void(Bytes done, Bytes total)>& progress, Cancellation& cancel) {
    Download(settings_, url, path, limit, progress, cancel).run();
}

}  // namespace hvagent
