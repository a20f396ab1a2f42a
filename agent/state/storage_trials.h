// Whether storages can be written, found out without anybody waiting for one that hangs.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hvagent/drivers/storage_pool.h"

namespace hvagent::state {

// Thread-safe. Each trial has a thread of its own, and no root is tried twice at once: a dead file server costs one thread.
class StorageTrials {
public:
    using Done = std::function<void(const StorageTrial&)>;

    explicit StorageTrials(StorageFiles& files);
    ~StorageTrials() { stop(); }
    StorageTrials(const StorageTrials&) = delete;
    StorageTrials& operator=(const StorageTrials&) = delete;

    // Calls `done` from another thread when the trial has ended; who asks while one is under way gets its result. `done`
    // must not block.
    void begin(const std::string& root, Done done);
    // No `done` is called after this. A trial that hangs is waited for up to 10 s.
    void stop();

private:
    struct State;
    static void run(const std::shared_ptr<State>& state, const std::string& root);

    const std::shared_ptr<State> state_;
};

}  // namespace hvagent::state
