// Other agents, in memory: each verb is answered by a function of the test.
#pragma once
#include <map>
#include <mutex>
#include <vector>

#include "hvagent/error.h"
#include "hvagent/peers.h"
#include "tests/fakes/fake_file_system.h"
#include "tests/fakes/faults.h"

namespace hvagent {

// Thread-safe. Answers are called without a lock.
class FakePeers final : public Peers {
public:
    using json = nlohmann::json;
    using Answer = std::function<json(const json& body)>;
    struct Asked {
        HostId peer;
        std::string verb;
        json body;
    };

    void know(const HostId& peer, const std::string& url) {
        const std::lock_guard lock(mutex_);
        urls_[peer] = url;
    }
    void answer(const HostId& peer, const std::string& verb, Answer answer) {
        const std::lock_guard lock(mutex_);
        answers_[peer.str() + " " + verb] = std::move(answer);
    }
    // What the agent at `url` says when it is introduced to.
    void introduce_as(const std::string& url, Answer answer) {
        const std::lock_guard lock(mutex_);
        answers_["introduction " + url] = std::move(answer);
    }
    // What a peer offers; fetched files go into `disk`.
    void offer(const std::string& ticket, FakeFile file, FakeFileSystem& disk) {
        const std::lock_guard lock(mutex_);
        offered_.insert_or_assign(ticket, std::move(file));
        disk_ = &disk;
    }
    // The same file for every ticket that is not known.
    void answer_any_ticket(FakeFile file, FakeFileSystem& disk) {
        const std::lock_guard lock(mutex_);
        any_ = std::move(file);
        disk_ = &disk;
    }
    std::vector<Asked> asked() const {
        const std::lock_guard lock(mutex_);
        return asked_;
    }

    json ask(const HostId& peer, const std::string& verb, const json& body, milliseconds) override {
        faults.happen("ask");
        Answer answer;
        {
            const std::lock_guard lock(mutex_);
            asked_.push_back({peer, verb, body});
            answer = find(peer.str() + " " + verb);
        }
        if (!answer)
            throw Error(Code::host_connection, "host " + peer.str() + " does not answer at " + url_of(peer) + ": a test");
        return answer(body);
    }
    json ask_at(const HostId& peer, const std::string& url, const std::string& verb, const json& body,
                milliseconds timeout) override {
        json sent = body;
        sent["asked at"] = url;
        return ask(peer, verb, sent, timeout);
    }
    std::string url_of(const HostId& peer) const override {
        const std::lock_guard lock(mutex_);
        const auto found = urls_.find(peer);
        if (found == urls_.end()) throw Error(Code::not_found, "there is no peer " + peer.str());
        return found->second;
    }
    void fetch(const HostId& peer, const std::string& ticket, const std::string& path, Bytes limit,
               const std::function<void(Bytes done, Bytes total)>& progress, Cancellation& cancel) override {
        cancel.check();
        faults.happen("fetch", &cancel);
        const std::lock_guard lock(mutex_);
        const auto known = offered_.find(ticket);
        const FakeFile* found = known != offered_.end() ? &known->second : any_ ? &*any_ : nullptr;
        if (!found) throw Error(Code::http_failed, "cannot download from " + peer.str() + ": the server answered 404");
        if (limit > 0 && found->allocated > limit)
            throw Error(Code::image_storage_allocate, "the file is larger than may be stored");
        disk_->put(path, *found);
        if (progress) progress(found->allocated, found->allocated);
    }
    json introduce(const std::string& url, const Login& login, const json& about_us) override {
        faults.happen("introduce");
        Answer answer;
        {
            const std::lock_guard lock(mutex_);
            asked_.push_back({HostId(), "introduction", {{"account", login.account}, {"password", login.password}}});
            answer = find("introduction " + url);
        }
        if (!answer) throw Error(Code::host_connection, "the agent at " + url + " does not answer at " + url + ": a test");
        return answer(about_us);
    }

    Faults faults;  // "ask", "fetch", "introduce"

private:
    Answer find(const std::string& key) const {
        const auto found = answers_.find(key);
        return found == answers_.end() ? Answer() : found->second;
    }

    mutable std::mutex mutex_;
    std::map<HostId, std::string> urls_;
    std::map<std::string, Answer> answers_;
    std::map<std::string, FakeFile> offered_;
    std::optional<FakeFile> any_;
    std::vector<Asked> asked_;
    FakeFileSystem* disk_ = nullptr;
};

}  // namespace hvagent
