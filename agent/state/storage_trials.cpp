#include "agent/state/storage_trials.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "hvagent/clock.h"

namespace hvagent::state {

// Outlives the object for as long as a trial hangs.
struct StorageTrials::State {
    explicit State(StorageFiles& used) : files(used) {}

    StorageFiles& files;
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, std::vector<Done>> under_way;
    int telling = 0;
    bool stopped = false;
};

StorageTrials::StorageTrials(StorageFiles& files) : state_(std::make_shared<State>(files)) {}

void StorageTrials::begin(const std::string& root, Done done) {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopped) return;
    const auto [place, is_new] = state_->under_way.try_emplace(root);
    place->second.push_back(std::move(done));
    if (is_new) std::thread([state = state_, root] { run(state, root); }).detach();
}

void StorageTrials::run(const std::shared_ptr<State>& state, const std::string& root) {
    const StorageTrial trial = state->files.try_write(root);
    std::vector<Done> waiting;
    {
        const std::lock_guard lock(state->mutex);
        waiting = std::move(state->under_way[root]);
        state->under_way.erase(root);
        if (state->stopped) waiting.clear();
        ++state->telling;
    }
    for (const Done& done : waiting) done(trial);
    const std::lock_guard lock(state->mutex);
    --state->telling;
    state->changed.notify_all();
}

void StorageTrials::stop() {
    std::unique_lock lock(state_->mutex);
    state_->stopped = true;
    state_->changed.wait(lock, [this] { return state_->telling == 0; });
    state_->changed.wait_for(lock, seconds(10), [this] { return state_->under_way.empty(); });
}

}  // namespace hvagent::state
