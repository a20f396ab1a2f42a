#include "drivers/sqlite/sqlite_database.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "hvagent/error.h"

namespace hvagent {
namespace {

constexpr const char* memory_path = ":memory:";

// The log and the shared memory beside it inherit the mode.
void make_private(const std::string& path) {
    // Never opened when it exists: closing would drop the POSIX locks of other connections of this process.
    const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) {
        ::close(fd);
        return;
    }
    if (errno != EEXIST) {
        throw Error(Code::io_failed, "cannot create the database " + path + ": " + std::generic_category().message(errno));
    }
    if (::chmod(path.c_str(), 0600) != 0) {
        throw Error(Code::io_failed,
                    "cannot make the database " + path + " private (mode 0600): " + std::generic_category().message(errno));
    }
}

void flush(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool is_done = fd >= 0 && ::fsync(fd) == 0;
    const int failure = errno;
    if (fd >= 0) ::close(fd);
    if (!is_done) throw Error(Code::io_failed, "cannot flush " + path + ": " + std::generic_category().message(failure));
}

// The last connection to be closed removes the log.
bool was_left_open(const std::string& path) {
    struct stat found {};
    return ::stat((path + "-wal").c_str(), &found) == 0 && found.st_size > 0;
}

void check_content(SqliteConnection& connection, const std::string& path) {
    connection.each("PRAGMA quick_check(1)", {}, [&](const SqlRow& row) {
        if (row.text(0) != "ok") throw Error(Code::io_failed, "the database " + path + " is damaged: " + row.text(0));
    });
}

}  // namespace

SqliteDatabase::SqliteDatabase(const std::string& path, std::size_t most_readers) {
    if (path == memory_path) {
        writer_ = std::make_unique<SqliteConnection>(path, SqliteConnection::Role::writer);
        return;
    }
    const bool must_check = was_left_open(path);
    make_private(path);
    writer_ = std::make_unique<SqliteConnection>(path, SqliteConnection::Role::writer);
    if (must_check) check_content(*writer_, path);
    // Makes SQLite create the log, which the flusher opens.
    writer_->run("BEGIN IMMEDIATE");
    writer_->run("COMMIT");
    flusher_ = std::make_unique<WalFlusher>(path);
    readers_ = std::make_unique<ReaderPool>(path, most_readers);
}

SqliteDatabase::~SqliteDatabase() = default;

void SqliteDatabase::copy_to(const std::string& path) {
    const std::string unfinished = path + ".part";
    std::error_code ignored;
    std::filesystem::remove(unfinished, ignored);
    make_private(unfinished);
    {
        const std::lock_guard lock(writer_mutex_);
        writer_->run("VACUUM INTO ?", {unfinished});
    }
    flush(unfinished);
    if (::rename(unfinished.c_str(), path.c_str()) != 0)
        throw Error(Code::io_failed, "cannot rename " + unfinished + ": " + std::generic_category().message(errno));
    flush(std::filesystem::path(path).parent_path().string());
}

void SqliteDatabase::write(Durability durability, const std::function<void(SqlSession&)>& work) {
    std::uint64_t commit = 0;
    {
        const std::lock_guard lock(writer_mutex_);
        if (write_depth_ > 0) {
            flush_wanted_ |= durability == Durability::flushed;
            write_nested(work);
            return;
        }
        flush_wanted_ = durability == Durability::flushed;
        write_outermost(work);
        if (flusher_) commit = flusher_->committed();
        if (!flush_wanted_) return;
    }
    // Without the lock: the next writer goes on meanwhile and shares the flush.
    if (flusher_) flusher_->wait_until_flushed(commit);
}

void SqliteDatabase::write_outermost(const std::function<void(SqlSession&)>& work) {
    struct Depth {
        explicit Depth(SqliteDatabase& database) : owner(database) {
            ++owner.write_depth_;
            owner.writing_thread_ = std::this_thread::get_id();
        }
        ~Depth() {
            owner.writing_thread_ = std::thread::id();
            --owner.write_depth_;
        }
        SqliteDatabase& owner;
    };
    writer_->run("BEGIN IMMEDIATE");
    const Depth depth(*this);
    try {
        work(*writer_);
        writer_->run("COMMIT");
    } catch (...) {
        writer_->roll_back("ROLLBACK");
        throw;
    }
}

void SqliteDatabase::write_nested(const std::function<void(SqlSession&)>& work) {
    writer_->run("SAVEPOINT nested");
    try {
        work(*writer_);
        writer_->run("RELEASE nested");
    } catch (...) {
        writer_->roll_back("ROLLBACK TO nested");
        writer_->roll_back("RELEASE nested");
        throw;
    }
}

void SqliteDatabase::read(const std::function<void(SqlSession&)>& work) {
    if (writing_thread_.load() == std::this_thread::get_id()) return work(*writer_);
    if (readers_) return readers_->read(work);
    const std::lock_guard lock(writer_mutex_);
    work(*writer_);
}

}  // namespace hvagent
