// The connections that only read. Opened when first needed, at most so many.
#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "drivers/sqlite/sqlite_connection.h"

namespace hvagent {

// Thread-safe. Never waits for a writer; waits for another reader when all connections are in use.
class ReaderPool {
public:
    ReaderPool(std::string path, std::size_t most);

    // All statements of `work` see the database as it was at the first one. Nested calls of a thread share a connection.
    void read(const std::function<void(SqlSession&)>& work);

private:
    class Borrowed;

    const std::string path_;
    const std::size_t most_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<SqliteConnection>> idle_;
    std::map<std::thread::id, SqliteConnection*> busy_;
};

}  // namespace hvagent
