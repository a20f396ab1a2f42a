// The world outside, in memory: URLs with content, and webhook receivers that remember.
#pragma once
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "hvagent/drivers/http_client.h"
#include "tests/fakes/fake_file_system.h"
#include "tests/fakes/faults.h"

namespace hvagent {

class FakeHttpClient final : public HttpClient {
public:
    struct Post {
        std::string url;
        std::map<std::string, std::string> headers;
        std::string body;
    };

    // Downloads go into `files`.
    explicit FakeHttpClient(FakeFileSystem& files) : files_(files) {}

    // What a download of `url` brings; others answer 404.
    void serve(const std::string& url, FakeFile file) {
        const std::lock_guard lock(mutex_);
        served_.insert_or_assign(url, std::move(file));
    }
    void serve_content(const std::string& url, const std::string& content) {
        const auto size = static_cast<Bytes>(content.size());
        serve(url, {content, {"raw", size, size, "", false, false}, size});
    }
    // What posts to `url` are answered; others get 200 and nothing.
    void answer(const std::string& url, HttpReply reply) {
        const std::lock_guard lock(mutex_);
        answers_.insert_or_assign(url, std::move(reply));
    }
    std::vector<Post> posts() const {
        const std::lock_guard lock(mutex_);
        return posts_;
    }
    // True when there were `count` posts, within ten seconds.
    bool wait_for_posts(std::size_t count) {
        std::unique_lock lock(mutex_);
        return posted_.wait_for(lock, std::chrono::seconds(10), [&] { return posts_.size() >= count; });
    }

    HttpReply post(const std::string& url, const std::map<std::string, std::string>& headers, const std::string& body,
                   milliseconds) override {
        return send({"POST", url, headers, body});
    }
    // A DELETE is answered as well, and remembered with its method in front of the URL.
    HttpReply send(const HttpRequest& request) override {
        faults.happen("post");
        const std::lock_guard lock(mutex_);
        const std::string target = request.method == "POST" ? request.url : request.method + " " + request.url;
        posts_.push_back({target, request.headers, request.body});
        posted_.notify_all();
        const auto found = answers_.find(target);
        return found == answers_.end() ? HttpReply{200, ""} : found->second;
    }

    void download(const std::string& url, const std::string& path, Bytes limit,
                  const std::function<void(Bytes done, Bytes total)>& progress, Cancellation& cancel) override {
        cancel.check();
        faults.happen("download", &cancel);
        FakeFile file;
        {
            const std::lock_guard lock(mutex_);
            const auto found = served_.find(url);
            if (found == served_.end())
                throw Error(Code::http_failed, "cannot download " + shown(url) + ": the server answered 404");
            file = found->second;
        }
        if (limit > 0 && file.allocated > limit) throw Error(Code::image_storage_allocate, shown(url) + " is too large");
        try {
            files_.put(path, file);
        } catch (const Error& error) {
            files_.remove(path);
            throw Error(Code::image_storage_allocate, error.details());
        }
        if (progress) progress(file.allocated, file.allocated);
    }

    Faults faults;  // "post", "download"

private:
    static std::string shown(std::string url) {
        url = url.substr(0, url.find('?'));
        const auto begin = url.find("://") + 3, at = url.find('@');
        return at == std::string::npos ? url : url.substr(0, begin) + url.substr(at + 1);
    }

    FakeFileSystem& files_;
    mutable std::mutex mutex_;
    std::condition_variable posted_;
    std::map<std::string, FakeFile> served_;
    std::map<std::string, HttpReply> answers_;
    std::vector<Post> posts_;
};

}  // namespace hvagent
