// Webhooks and image downloads by libcurl.
#pragma once
#include <memory>

#include "drivers/http_client/http_settings.h"
#include "hvagent/drivers/http_client.h"

namespace hvagent {

class ConnectionPool;

// The process must ignore SIGPIPE: TLS connections that break raise it.
class CurlClient final : public HttpClient {
public:
    explicit CurlClient(HttpSettings settings);
    ~CurlClient() override;
    CurlClient(const CurlClient&) = delete;
    CurlClient& operator=(const CurlClient&) = delete;

    // http and https only; redirects are not followed.
    HttpReply send(const HttpRequest& request) override;
    HttpReply post(const std::string& url, const std::map<std::string, std::string>& headers, const std::string& body,
                   milliseconds timeout) override;
    // On an error `path` is removed.
    void download(const std::string& url, const std::string& path, Bytes limit,
                  const std::function<void(Bytes done, Bytes total)>& progress, Cancellation& cancel) override;

private:
    const HttpSettings settings_;
    const std::unique_ptr<ConnectionPool> connections_;
};

}  // namespace hvagent
