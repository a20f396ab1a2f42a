#include "agent/app/store_copies.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "agent/inventory/schema.h"
#include "hvagent/log.h"

namespace hvagent::app {
namespace {

constexpr std::size_t most_copies = 3;

using Copies = std::vector<std::filesystem::directory_entry>;

Copies find_copies(const std::string& path) {
    const std::filesystem::path store(path);
    const std::string prefix = store.filename().string() + ".schema-";
    Copies found;
    for (const auto& entry : std::filesystem::directory_iterator(store.parent_path()))
        if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry);
    return found;
}

void remove_oldest(const std::string& path) {
    Copies copies = find_copies(path);
    if (copies.size() <= most_copies) return;
    std::sort(copies.begin(), copies.end(),
              [](const auto& a, const auto& b) { return a.last_write_time() > b.last_write_time(); });
    for (std::size_t i = most_copies; i < copies.size(); ++i) {
        std::error_code failure;
        std::filesystem::remove(copies[i].path(), failure);
        if (failure) log::warning("an old copy of the store stays", {{"path", copies[i].path().string()}});
    }
}

}  // namespace

void copy_before_upgrade(SqliteDatabase& database, const std::string& path) {
    const std::int64_t version = inventory::find_version(database);
    if (version == 0 || version >= inventory::schema_version) return;
    const std::string copy = path + ".schema-" + std::to_string(version);
    database.copy_to(copy);
    log::info("the store was copied before its upgrade", {{"copy", copy}, {"version", version}});
    remove_oldest(path);
}

}  // namespace hvagent::app
