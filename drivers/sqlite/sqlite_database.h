// The daemon's database: one SQLite file with a write-ahead log.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "drivers/sqlite/reader_pool.h"
#include "drivers/sqlite/sqlite_connection.h"
#include "drivers/sqlite/wal_flusher.h"
#include "hvagent/drivers/database.h"

namespace hvagent {

// A read() on a thread that is inside write() sees what that write has done so far. A write() nested in another one
// is undone alone when it throws and the outer one catches.
class SqliteDatabase final : public Database {
public:
    // Creates the file (mode 0600) where there is none; ":memory:" lives as long as this object. Checks the content when
    // the last user did not close it. Error(io_failed) when it cannot be opened or is damaged.
    explicit SqliteDatabase(const std::string& path, std::size_t most_readers = 8);
    ~SqliteDatabase() override;

    void write(Durability durability, const std::function<void(SqlSession&)>& work) override;
    void read(const std::function<void(SqlSession&)>& work) override;

    // The whole content as a database of its own, mode 0600. Under its final name only when it is on disk; one that is there
    // is replaced. Error(io_failed).
    void copy_to(const std::string& path);

private:
    void write_outermost(const std::function<void(SqlSession&)>& work);
    void write_nested(const std::function<void(SqlSession&)>& work);

    // Recursive: a second lock of the same thread is a nested write.
    std::recursive_mutex writer_mutex_;
    std::unique_ptr<SqliteConnection> writer_;
    std::unique_ptr<WalFlusher> flusher_;  // none in memory
    std::unique_ptr<ReaderPool> readers_;  // none in memory, where the one connection is all there is
    int write_depth_ = 0;
    bool flush_wanted_ = false;                      // by the outermost write or one nested in it
    std::atomic<std::thread::id> writing_thread_{};  // to find a read() inside a write()
};

}  // namespace hvagent
