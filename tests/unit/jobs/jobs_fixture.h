// An engine on a real database file, with operations whose handlers the tests write.
#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/api/operation.h"
#include "agent/jobs/engine.h"
#include "drivers/sqlite/sqlite_database.h"
#include "hvagent/flow.h"
#include "tests/fakes/temp_directory.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent::jobs {

// Runs like the real one, and can be put forward.
class MovableClock final : public Clock {
public:
    Time now() const override { return std::chrono::system_clock::now() + moved_.load(); }
    Moment moment() const override { return std::chrono::steady_clock::now() + moved_.load(); }
    void move(milliseconds by) { moved_ = moved_.load() + by; }

private:
    std::atomic<milliseconds> moved_{milliseconds(0)};
};

inline Moment soon() {
    return std::chrono::steady_clock::now() + seconds(10);
}

// Handlers stop here until the test lets them go on.
class Gate {
public:
    void pass() {
        std::unique_lock lock(mutex_);
        ++here_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
        --here_;
    }
    // As pass(), but gives up when the job is cancelled.
    void pass(Job& job) {
        const Cancellation::Subscription wake(job.cancellation(), [this] {
            const std::lock_guard lock(mutex_);
            changed_.notify_all();
        });
        std::unique_lock lock(mutex_);
        ++here_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return open_ || job.cancellation().wanted(); });
        --here_;
        changed_.notify_all();
        lock.unlock();
        job.cancellation().check();
    }
    // Until no more than `count` wait here.
    bool wait_until_left(int count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_until(lock, soon(), [&] { return here_ <= count; });
    }
    bool wait_for(int count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_until(lock, soon(), [&] { return here_ >= count; });
    }
    int here() const {
        const std::lock_guard lock(mutex_);
        return here_;
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    int here_ = 0;
    bool open_ = false;
};

class WatchedDatabase final : public Database {
public:
    explicit WatchedDatabase(Database& real) : real_(real) {}
    void write(Durability durability, const std::function<void(SqlSession&)>& work) override {
        if (full) {
            ++refused;
            throw Error(Code::io_failed, "the disk is full");
        }
        ++(durability == Durability::flushed ? flushed : lazy);
        real_.write(durability, work);
        if (durability == Durability::flushed && flush_fails) throw Error(Code::io_failed, "the disk failed");
    }
    void read(const std::function<void(SqlSession&)>& work) override { real_.read(work); }

    std::atomic<bool> full{false};
    std::atomic<bool> flush_fails{false};
    std::atomic<int> refused{0};
    std::atomic<int> flushed{0};
    std::atomic<int> lazy{0};

private:
    Database& real_;
};

class KnownThings final : public api::References {
public:
    bool exists(std::string_view, const std::string& uuid) const override {
        const std::lock_guard lock(mutex_);
        return !missing_.contains(uuid);
    }
    std::optional<VmState> vm_state(const VmId& vm) const override {
        const std::lock_guard lock(mutex_);
        const auto found = states_.find(vm.str());
        return found == states_.end() ? VmState::running : found->second;
    }
    void remove(const VmId& vm) {
        const std::lock_guard lock(mutex_);
        missing_.insert(vm.str());
    }
    void set_state(const VmId& vm, VmState state) {
        const std::lock_guard lock(mutex_);
        states_[vm.str()] = state;
    }

private:
    mutable std::mutex mutex_;
    std::set<std::string> missing_;
    std::map<std::string, VmState> states_;
};

// Receivers of webhooks.
class Receivers final : public HttpClient {
public:
    struct Post {
        std::string url;
        std::map<std::string, std::string> headers;
        std::string body;
        Moment when;
    };
    using Answer = std::function<HttpReply(const Post&)>;

    // Others answer 200.
    void answer(const std::string& url, Answer answer) {
        const std::lock_guard lock(mutex_);
        answers_[url] = std::move(answer);
    }
    std::vector<Post> posts(const std::string& url = "") const {
        const std::lock_guard lock(mutex_);
        std::vector<Post> found;
        for (const Post& post : posts_)
            if (url.empty() || post.url == url) found.push_back(post);
        return found;
    }
    bool wait_for_posts(std::size_t count, const std::string& url = "") const {
        std::unique_lock lock(mutex_);
        return posted_.wait_until(lock, soon(), [&] {
            std::size_t seen = 0;
            for (const Post& post : posts_) seen += url.empty() || post.url == url;
            return seen >= count;
        });
    }
    HttpReply post(const std::string& url, const std::map<std::string, std::string>& headers, const std::string& body,
                   milliseconds) override {
        Post post{url, headers, body, std::chrono::steady_clock::now()};
        Answer answer;
        {
            const std::lock_guard lock(mutex_);
            posts_.push_back(post);
            posted_.notify_all();
            if (const auto found = answers_.find(url); found != answers_.end()) answer = found->second;
        }
        return answer ? answer(post) : HttpReply{200, ""};
    }
    HttpReply send(const HttpRequest& request) override {
        return post(request.url, request.headers, request.body, request.timeout);
    }
    void download(const std::string&, const std::string&, Bytes, const std::function<void(Bytes, Bytes)>&,
                  Cancellation&) override {
        throw Error(Code::internal, "no downloads here");
    }

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable posted_;
    std::vector<Post> posts_;
    std::map<std::string, Answer> answers_;
};

struct Work {
    VmId vm;
    VmId other_vm;
    std::string text;
    std::string password;
};
using Handler = std::function<json(Job&, const Work&)>;

class JobsTest : public testing::Test {
protected:
    JobsTest() {
        settings.thread_idle = milliseconds(200);
        settings.stop_grace = milliseconds(0);
        settings.webhook_retry = milliseconds(20);
        settings.webhook_longest_retry = milliseconds(40);
    }
    // Before the members of tests, which handlers use, are gone.
    void TearDown() override {
        gate.open();
        engine.reset();
    }

    const api::Catalog& catalog() {
        if (!catalog_) {
            catalog_.emplace(std::vector<api::Table>{{
                operation("DoQuick", JobClass::quick, Code::operation_failed),
                operation("DoPower", JobClass::power, Code::vm_start),
                operation("DoCopy", JobClass::copy, Code::operation_failed),
                operation("DoMigrate", JobClass::migrate, Code::vm_migrate),
                declare("StopIt").allowed_in({VmState::running}, Code::vm_stop).runs_as_job(queues(), handler()),
                declare("DeleteIt").gone_is_success().fails_as(Code::vm_destroy).runs_as_job(queues(), handler()),
            }});
        }
        return *catalog_;
    }
    // A new life of the daemon on the same file.
    void start() { start_on("jobs.db"); }
    void start_on(const std::string& file) {
        engine.reset();
        database.reset();
        sqlite.reset();
        sqlite = std::make_unique<SqliteDatabase>(directory.file(file));
        database = std::make_unique<WatchedDatabase>(*sqlite);
        engine = std::make_unique<JobEngine>(*database, clock, catalog(), things, receivers, settings);
        if (decorate) engine->set_decorate(decorate);
        engine->start();
    }
    // What a killed daemon leaves: the file as it is now, whatever the jobs still do. Nothing may be writing.
    void copy_store(const std::string& to) {
        for (const char* suffix : {"", "-wal"})
            if (std::filesystem::exists(directory.file("jobs.db") + suffix))
                std::filesystem::copy_file(directory.file("jobs.db") + suffix, directory.file(to) + suffix);
    }

    Submission submission(const std::string& operation, const VmId& vm, json more = json::object()) {
        Submission made;
        made.row = catalog().find(operation);
        more["uuid"] = vm.str();
        made.arguments = made.row->accept(more);
        made.account = "account";
        made.fingerprint = operation + vm.str() + more.dump();
        return made;
    }
    JobId submit(const std::string& operation, const VmId& vm, json more = json::object()) {
        return engine->submit(submission(operation, vm, std::move(more)));
    }
    JobId submit_with_id(const std::string& operation, const VmId& vm, const JobId& id) {
        Submission made = submission(operation, vm);
        made.id = id;
        return engine->submit(made);
    }
    // The finished job.
    JobStatus result_of(const JobId& id) {
        EXPECT_TRUE(engine->wait(id, soon())) << "the job does not end";
        const auto status = engine->find(id);
        if (!status) throw std::runtime_error("there is no job " + id.str());
        EXPECT_TRUE(status->is_finished());
        return *status;
    }
    std::string code_of(const JobStatus& status) {
        return status.error ? status.error->at("code").get<std::string>() : "none";
    }
    std::string details_of(const JobStatus& status) {
        return status.error ? status.error->at("details").get<std::string>() : "none";
    }
    std::int64_t count_rows(const std::string& sql) {
        std::int64_t count = -1;
        sqlite->read(
            [&](SqlSession& session) { session.each(sql, {}, [&](const SqlRow& row) { count = row.integer(0); }); });
        return count;
    }

    Gate gate;  // opened at the end of the test at the latest
    TempDirectory directory;
    MovableClock clock;
    KnownThings things;
    Receivers receivers;
    JobSettings settings;
    Decorate decorate;
    Handler handle = [](Job&, const Work&) { return json{{"done", true}}; };
    std::unique_ptr<SqliteDatabase> sqlite;
    std::unique_ptr<WatchedDatabase> database;
    std::unique_ptr<JobEngine> engine;

private:
    api::Operation<Work> declare(const std::string& name) {
        api::Operation<Work> made(name, api::Method::put, "/" + name + "/{uuid}", "Test " + name);
        made.required(api::In::url, "uuid", &Work::vm, "the VM")
            .optional(api::In::body, "otherUuid", &Work::other_vm, "another VM")
            .optional(api::In::body, "text", &Work::text, "any text")
            .optional(api::In::body, "password", &Work::password, "a secret")
            .secret();
        return made;
    }
    api::Row operation(const std::string& name, JobClass kind, Code failure) {
        return declare(name).fails_as(failure).job_class(kind).runs_as_job(queues(), handler());
    }
    static api::QueueOf<Work> queues() { return api::queue_of(&Work::vm, &Work::other_vm); }
    Handler handler() {
        return [this](Job& job, const Work& work) { return handle(job, work); };
    }
    std::optional<api::Catalog> catalog_;
};

}  // namespace hvagent::jobs
