#include "drivers/sqlite/reader_pool.h"

#include "hvagent/error.h"

namespace hvagent {

class ReaderPool::Borrowed {
public:
    explicit Borrowed(ReaderPool& pool) : pool_(pool) {
        {
            std::unique_lock lock(pool_.mutex_);
            pool_.returned_.wait(lock, [&] { return pool_.busy_.size() < pool_.most_; });
            pool_.busy_[std::this_thread::get_id()] = nullptr;
            if (!pool_.idle_.empty()) {
                connection_ = std::move(pool_.idle_.back());
                pool_.idle_.pop_back();
            }
        }
        try {
            if (!connection_) connection_ = std::make_unique<SqliteConnection>(pool_.path_, SqliteConnection::Role::reader);
        } catch (...) {
            give_back();
            throw;
        }
        const std::lock_guard lock(pool_.mutex_);
        pool_.busy_[std::this_thread::get_id()] = connection_.get();
    }
    ~Borrowed() { give_back(); }
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;

    SqliteConnection& connection() { return *connection_; }

private:
    void give_back() {
        const std::lock_guard lock(pool_.mutex_);
        pool_.busy_.erase(std::this_thread::get_id());
        // One that cannot end its transaction is closed.
        if (connection_ && !connection_->in_transaction()) pool_.idle_.push_back(std::move(connection_));
        pool_.returned_.notify_one();
    }

    ReaderPool& pool_;
    std::unique_ptr<SqliteConnection> connection_;
};

ReaderPool::ReaderPool(std::string path, std::size_t most) : path_(std::move(path)), most_(most) {}

void ReaderPool::read(const std::function<void(SqlSession&)>& work) {
    SqliteConnection* mine = nullptr;
    {
        const std::lock_guard lock(mutex_);
        const auto found = busy_.find(std::this_thread::get_id());
        if (found != busy_.end()) mine = found->second;
    }
    if (mine) return work(*mine);

    Borrowed reader(*this);
    reader.connection().run("BEGIN");
    try {
        work(reader.connection());
        reader.connection().run("COMMIT");
    } catch (...) {
        reader.connection().roll_back("ROLLBACK");
        throw;
    }
}

}  // namespace hvagent
