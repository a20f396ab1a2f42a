// Outgoing HTTP: image downloads, webhooks, requests to other agents.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "hvagent/cancel.h"
#include "hvagent/clock.h"
#include "hvagent/units.h"

namespace hvagent {

struct HttpReply {
    int status = 0;
    std::string body;
    bool is_cut = false;            // it was longer than the request allowed
    std::optional<Time> date = {};  // what the server takes for now, in whole seconds
};

struct HttpRequest {
    std::string method = "POST";  // or DELETE
    std::string url;
    std::map<std::string, std::string> headers = {};
    std::string body = {};
    milliseconds timeout{10000};
    Bytes longest_reply = 64 * KiB;  // more is not kept
};

// Thread-safe.
class HttpClient {
public:
    virtual ~HttpClient() = default;
    // Error(http_failed) when no answer came; an answer of any status is a reply.
    virtual HttpReply send(const HttpRequest& request) = 0;
    // As send(); at most 64 KiB of the reply are kept.
    virtual HttpReply post(const std::string& url, const std::map<std::string, std::string>& headers,
                           const std::string& body, milliseconds timeout) = 0;
    // http, https, ftp, sftp or file URL into `path`. A connection that breaks is taken up again, and so is what an earlier
    // life of the daemon left at `path` (facts about it stand in "<path>.resume"), as long as the server shows that its file
    // is still the same; else it begins afresh. Error(http_failed) names status and URL (without credentials);
    // Error(image_storage_allocate) when the disk is full or the file is larger than `limit` (0: none);
    // Error(no_capability) when this libcurl was built without the protocol. After an error there is no file, except when
    // the daemon is stopping. Not flushed to disk. `total` is 0 while unknown.
    virtual void download(const std::string& url, const std::string& path, Bytes limit,
                          const std::function<void(Bytes done, Bytes total)>& progress, Cancellation& cancel) = 0;
};

}  // namespace hvagent
