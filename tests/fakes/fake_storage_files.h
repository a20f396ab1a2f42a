// A storage in memory.
#pragma once
#include <algorithm>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "hvagent/drivers/storage_pool.h"
#include "tests/fakes/fake_file_system.h"
#include "tests/fakes/faults.h"

namespace hvagent {

// Directories need not be made before files are put into them. md5() and sha256() depend on the content, but are not
// the real sums.
class FakeStorageFiles final : public StorageFiles {
public:
    explicit FakeStorageFiles(FakeFileSystem& files) : files_(files) {}

    void prepare(const std::string& root) override {
        faults.happen("prepare");
        if (!is_plain(root)) throw Error(Code::invalid_argument, "the directory of a storage must be absolute, not " + root);
        const std::lock_guard lock(mutex_);
        roots_.insert(root);
        directories_.insert(root);
    }
    StorageSpace space(const std::string& root) override {
        faults.happen("space");
        require_inside(root);
        return {files_.size(), files_.available()};
    }
    StorageTrial try_write(const std::string& root) noexcept override {
        StorageTrial trial;
        try {
            trial.space = space(root);
            faults.happen("try_write");
        } catch (const Error& error) {
            trial.outcome =
                error.code() == Code::storage_allocate ? StorageTrial::Outcome::no_room : StorageTrial::Outcome::failed;
            trial.why = error.details();
        }
        return trial;
    }
    bool exists(const std::string& path) override {
        faults.happen("exists");
        require_inside(path);
        const std::lock_guard lock(mutex_);
        return files_.find(path).has_value() || directories_.contains(path);
    }
    Bytes allocated(const std::string& path) override {
        faults.happen("allocated");
        require_inside(path);
        return files_.get(path).allocated;
    }
    void copy(const std::string& source, const std::string& target, const ProgressPercent& progress,
              Cancellation& cancel) override {
        cancel.check();
        faults.happen("copy", &cancel);
        require_inside(source);
        const FakeFile file = files_.get(source);
        add(target, file);
        if (progress) progress(100);
    }
    void publish(const std::string& temporary, const std::string& final_path) override {
        faults.happen("publish");
        require_inside(temporary);
        const FakeFile file = files_.get(temporary);
        require_free(final_path);
        files_.remove(temporary);
        add(final_path, file);
    }
    void make_directories(const std::string& path) override {
        faults.happen("make_directories");
        require_inside(path);
        const std::lock_guard lock(mutex_);
        for (std::string directory = path; !roots_.contains(directory); directory = parent_of(directory)) {
            directories_.insert(directory);
        }
    }
    void remove_file(const std::string& path) override {
        faults.happen("remove_file");
        require_inside(path);
        files_.remove(path);
    }
    void remove_empty_directories(const std::string& path, const std::string& up_to) override {
        faults.happen("remove_empty_directories");
        require_inside(path);
        require_inside(up_to);
        for (std::string directory = path; directory.starts_with(up_to + "/"); directory = parent_of(directory)) {
            if (!list(directory).empty()) return;
            const std::lock_guard lock(mutex_);
            directories_.erase(directory);
        }
    }
    std::vector<std::string> list(const std::string& directory) override {
        faults.happen("list");
        require_inside(directory);
        const std::lock_guard lock(mutex_);
        std::set<std::string> names;
        const auto add_below = [&](const std::string& path) {
            if (!path.starts_with(directory + "/")) return;
            const std::string rest = path.substr(directory.size() + 1);
            names.insert(rest.substr(0, rest.find('/')));
        };
        for (const std::string& path : files_.paths()) add_below(path);
        for (const std::string& path : directories_) add_below(path);
        return {names.begin(), names.end()};
    }
    std::vector<std::string> files_below(const std::string& directory) override {
        faults.happen("files_below");
        require_inside(directory);
        std::vector<std::string> below;
        for (const std::string& path : files_.paths())
            if (path.starts_with(directory + "/")) below.push_back(path);
        return below;
    }
    std::optional<std::string> read_text(const std::string& path) override {
        faults.happen("read_text");
        require_inside(path);
        const auto file = files_.find(path);
        return file ? std::optional(file->content) : std::nullopt;
    }
    void write_text(const std::string& path, const std::string& text) override {
        faults.happen("write_text");
        require_inside(path);
        files_.put_content(path, text);
    }
    std::string md5(const std::string& path, Cancellation& cancel) override {
        cancel.check();
        faults.happen("md5", &cancel);
        require_inside(path);
        char text[33];
        std::snprintf(text, sizeof text, "%032zx", std::hash<std::string>()(files_.get(path).content));
        return text;
    }
    std::string sha256(const std::string& path, Cancellation& cancel) override {
        const std::string half = md5(path, cancel);
        faults.happen("sha256", &cancel);
        return half + half;
    }

    Faults faults;  // by the names of the methods

private:
    static bool is_plain(const std::string& path) {
        return path.starts_with('/') && path.size() > 1 && (path + "/").find("/../") == std::string::npos &&
               (path + "/").find("/./") == std::string::npos;
    }
    static std::string parent_of(const std::string& path) { return path.substr(0, path.find_last_of('/')); }
    void require_inside(const std::string& path) const {
        const std::lock_guard lock(mutex_);
        const bool inside = is_plain(path) && std::any_of(roots_.begin(), roots_.end(), [&](const std::string& root) {
                                return path == root || path.starts_with(root + "/");
                            });
        if (!inside) throw Error(Code::invalid_argument, path + " is not in the directory of a storage");
    }
    void require_free(const std::string& path) const {
        require_inside(path);
        if (files_.find(path)) throw Error(Code::operation_failed, path + " exists already");
    }
    void add(const std::string& path, const FakeFile& file) {
        require_free(path);
        files_.put(path, file);
    }

    FakeFileSystem& files_;
    mutable std::mutex mutex_;
    std::set<std::string> roots_;
    std::set<std::string> directories_;
};

}  // namespace hvagent
