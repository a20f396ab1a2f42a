#include "drivers/sqlite/sqlite_database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "hvagent/clock.h"
#include "hvagent/error.h"

namespace hvagent {
namespace {

using testing::HasSubstr;

class TempDirectory {
public:
    TempDirectory() {
        char name[] = "/tmp/hvagent-sqlite-XXXXXX";
        if (!::mkdtemp(name)) throw std::runtime_error("mkdtemp");
        path_ = name;
    }
    ~TempDirectory() { std::filesystem::remove_all(path_); }
    std::string file(const std::string& name) const { return path_ + "/" + name; }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

std::int64_t count(SqlSession& sql) {
    std::int64_t rows = -1;
    sql.each("SELECT count(*) FROM vm", {}, [&](const SqlRow& row) { rows = row.integer(0); });
    return rows;
}

std::int64_t count(Database& database) {
    std::int64_t rows = -1;
    database.read([&](SqlSession& sql) { rows = count(sql); });
    return rows;
}

void create_table(Database& database) {
    database.write(Durability::flushed,
                   [](SqlSession& sql) { sql.run("CREATE TABLE vm(id INTEGER PRIMARY KEY, name TEXT UNIQUE, load REAL)"); });
}

void insert(Database& database, const std::string& name, Durability durability = Durability::lazy) {
    database.write(durability, [&](SqlSession& sql) { sql.run("INSERT INTO vm(name) VALUES(?)", {name}); });
}

Error error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    return Error(Code::internal, "nothing was thrown");
}

// The same promises in a file and in memory.
class AnyDatabase : public testing::TestWithParam<bool> {
protected:
    AnyDatabase() : database_(GetParam() ? ":memory:" : directory_.file("db")) { create_table(database_); }

    TempDirectory directory_;
    SqliteDatabase database_;
};

TEST_P(AnyDatabase, KeepsEachKindOfValue) {
    const std::string text("a\0'\"\xc3\xa9", 6);
    database_.write(Durability::flushed, [&](SqlSession& sql) {
        EXPECT_EQ(sql.run("INSERT INTO vm(id, name, load) VALUES(?, ?, ?)", {std::int64_t{1} << 40, text, 0.5}), 1);
        EXPECT_EQ(sql.run("INSERT INTO vm(id, name, load) VALUES(?, ?, ?)", {std::int64_t{7}, nullptr, nullptr}), 1);
    });
    database_.read([&](SqlSession& sql) {
        int rows = 0;
        sql.each("SELECT id, name, load FROM vm ORDER BY id DESC", {}, [&](const SqlRow& row) {
            EXPECT_EQ(row.columns(), 3);
            if (rows++ == 0) {
                EXPECT_EQ(row.integer(0), std::int64_t{1} << 40);
                EXPECT_EQ(row.text(1), text);
                EXPECT_EQ(row.real(2), 0.5);
                return;
            }
            EXPECT_TRUE(row.is_null(1));
            EXPECT_EQ(row.text(1), "");
            EXPECT_EQ(row.integer(2), 0);
        });
        EXPECT_EQ(rows, 2);
    });
}

TEST_P(AnyDatabase, TellsTheNumberOfChangedRowsOfEachStatement) {
    database_.write(Durability::lazy, [](SqlSession& sql) {
        sql.run("INSERT INTO vm(name) VALUES('a'), ('b'), ('c')");
        EXPECT_EQ(sql.run("UPDATE vm SET load = 1 WHERE name <> 'c'"), 2);
        EXPECT_EQ(sql.run("CREATE TABLE other(x)"), 0);
        EXPECT_EQ(sql.run("DELETE FROM vm WHERE name = 'none'"), 0);
    });
}

TEST_P(AnyDatabase, UndoesAWriteThatThrows) {
    EXPECT_THROW(database_.write(Durability::flushed,
                                 [&](SqlSession& sql) {
                                     sql.run("INSERT INTO vm(name) VALUES('a')");
                                     throw std::runtime_error("changed my mind");
                                 }),
                 std::runtime_error);
    EXPECT_EQ(count(database_), 0);
    insert(database_, "b");
    EXPECT_EQ(count(database_), 1);
}

TEST_P(AnyDatabase, JoinsNestedWritesToTheOuterTransaction) {
    EXPECT_THROW(database_.write(Durability::lazy,
                                 [&](SqlSession&) {
                                     insert(database_, "a");
                                     insert(database_, "b", Durability::flushed);
                                     throw std::runtime_error("all of it goes");
                                 }),
                 std::runtime_error);
    EXPECT_EQ(count(database_), 0);
}

TEST_P(AnyDatabase, UndoesOnlyTheNestedWriteWhoseErrorIsCaught) {
    database_.write(Durability::lazy, [&](SqlSession&) {
        insert(database_, "kept");
        EXPECT_THROW(database_.write(Durability::lazy,
                                     [&](SqlSession& sql) {
                                         sql.run("INSERT INTO vm(name) VALUES('undone')");
                                         throw std::runtime_error("half-way");
                                     }),
                     std::runtime_error);
    });
    database_.read([](SqlSession& sql) {
        sql.each("SELECT name FROM vm", {}, [](const SqlRow& row) { EXPECT_EQ(row.text(0), "kept"); });
        EXPECT_EQ(count(sql), 1);
    });
}

TEST_P(AnyDatabase, ShowsAReadInsideAWriteWhatWasWritten) {
    database_.write(Durability::lazy, [&](SqlSession&) {
        insert(database_, "a");
        EXPECT_EQ(count(database_), 1);
    });
}

TEST_P(AnyDatabase, WritesInsideARead) {
    insert(database_, "a");
    insert(database_, "b");
    database_.read([&](SqlSession& sql) {
        sql.each("SELECT name FROM vm", {}, [&](const SqlRow& row) {
            database_.write(Durability::lazy,
                            [&](SqlSession& inner) { inner.run("UPDATE vm SET load = 2 WHERE name = ?", {row.text(0)}); });
        });
    });
    database_.read(
        [](SqlSession& sql) { sql.each("SELECT load FROM vm", {}, [](const SqlRow& row) { EXPECT_EQ(row.real(0), 2); }); });
}

TEST_P(AnyDatabase, RunsTheSameStatementInsideItself) {
    insert(database_, "a");
    insert(database_, "b");
    int pairs = 0;
    database_.read([&](SqlSession& sql) {
        sql.each("SELECT name FROM vm", {},
                 [&](const SqlRow&) { sql.each("SELECT name FROM vm", {}, [&](const SqlRow&) { ++pairs; }); });
    });
    EXPECT_EQ(pairs, 4);
}

TEST_P(AnyDatabase, KeepsAStatementUsableAfterItsRowCallbackThrew) {
    insert(database_, "a");
    database_.read([&](SqlSession& sql) {
        const std::string text = "SELECT name FROM vm WHERE name = ?";
        EXPECT_THROW(sql.each(text, {"a"}, [](const SqlRow&) { throw std::runtime_error("stop"); }), std::runtime_error);
        int rows = 0;
        sql.each(text, {"a"}, [&](const SqlRow&) { ++rows; });
        EXPECT_EQ(rows, 1);
    });
}

TEST_P(AnyDatabase, RefusesWhatIsNotOneStatement) {
    database_.write(Durability::lazy, [](SqlSession& sql) {
        for (const char* text : {"DELETE FROM vm; DELETE FROM vm", "", " -- nothing", "SELEC 1", "SELECT * FROM missing"}) {
            EXPECT_EQ(error_of([&] { sql.run(text); }).code(), Code::internal) << text;
        }
        EXPECT_NO_THROW(sql.run("DELETE FROM vm; -- done"));
        EXPECT_THAT(error_of([&] { sql.run("DELETE FROM vm WHERE id = ?", {}); }).details(),
                    HasSubstr("0 values for the 1"));
    });
}

TEST_P(AnyDatabase, NamesTheConstraintThatDoesNotHold) {
    insert(database_, "a");
    const Error error = error_of([&] { insert(database_, "a"); });
    EXPECT_EQ(error.code(), Code::operation_failed);
    EXPECT_THAT(error.details(), HasSubstr("UNIQUE constraint failed: vm.name"));
    EXPECT_EQ(count(database_), 1);
}

TEST_P(AnyDatabase, EnforcesForeignKeys) {
    database_.write(Durability::lazy, [](SqlSession& sql) { sql.run("CREATE TABLE nic(vm INTEGER REFERENCES vm(id))"); });
    EXPECT_EQ(error_of([&] {
                  database_.write(Durability::lazy, [](SqlSession& sql) { sql.run("INSERT INTO nic VALUES(99)"); });
              }).code(),
              Code::operation_failed);
}

TEST_P(AnyDatabase, LosesNoWriteOfManyThreads) {
    constexpr int threads = 8;
    constexpr int writes = 25;
    {
        std::vector<std::jthread> workers;
        for (int t = 0; t < threads; ++t) {
            workers.emplace_back([&, t] {
                for (int i = 0; i < writes; ++i) {
                    insert(database_, std::to_string(t) + "-" + std::to_string(i),
                           i % 2 ? Durability::lazy : Durability::flushed);
                    count(database_);
                }
            });
        }
    }
    EXPECT_EQ(count(database_), threads * writes);
}

INSTANTIATE_TEST_SUITE_P(Sqlite, AnyDatabase, testing::Values(false, true),
                         [](const auto& param) { return std::string(param.param ? "Memory" : "File"); });

TEST(SqliteFile, KeepsItsContentWhenOpenedAgain) {
    const TempDirectory directory;
    {
        SqliteDatabase database(directory.file("db"));
        create_table(database);
        insert(database, "a", Durability::flushed);
    }
    SqliteDatabase again(directory.file("db"));
    EXPECT_EQ(count(again), 1);
}

TEST(SqliteFile, IsPrivateToItsOwner) {
    const TempDirectory directory;
    std::ofstream(directory.file("db")).close();
    ASSERT_EQ(::chmod(directory.file("db").c_str(), 0644), 0);
    SqliteDatabase database(directory.file("db"));
    create_table(database);
    for (const char* name : {"db", "db-wal", "db-shm"}) {
        struct stat found {};
        ASSERT_EQ(::stat(directory.file(name).c_str(), &found), 0) << name;
        EXPECT_EQ(found.st_mode & 0777, 0600U) << name;
    }
}

TEST(SqliteFile, LetsReadersGoOnWhileAWriterIsInTheMiddle) {
    const TempDirectory directory;
    SqliteDatabase database(directory.file("db"));
    create_table(database);
    database.write(Durability::lazy, [&](SqlSession& sql) {
        sql.run("INSERT INTO vm(name) VALUES('not yet')");
        auto other = std::async(std::launch::async, [&] { return count(database); });
        ASSERT_EQ(other.wait_for(seconds(10)), std::future_status::ready);
        EXPECT_EQ(other.get(), 0);
    });
    EXPECT_EQ(count(database), 1);
}

TEST(SqliteFile, ShowsOneStateDuringOneRead) {
    const TempDirectory directory;
    SqliteDatabase database(directory.file("db"));
    create_table(database);
    database.read([&](SqlSession& sql) {
        EXPECT_EQ(count(sql), 0);
        std::thread([&] { insert(database, "meanwhile"); }).join();
        EXPECT_EQ(count(sql), 0);
        EXPECT_EQ(count(database), 0) << "a nested read shares the state of the outer one";
    });
    EXPECT_EQ(count(database), 1);
}

TEST(SqliteFile, LetsAReaderWaitForAnotherWhenAllConnectionsAreInUse) {
    const TempDirectory directory;
    SqliteDatabase database(directory.file("db"), 1);
    create_table(database);
    std::promise<void> inside;
    std::promise<void> leave;
    std::jthread first([&] {
        database.read([&](SqlSession&) {
            inside.set_value();
            leave.get_future().wait();
            EXPECT_EQ(count(database), 0) << "nested: must not wait for itself";
        });
    });
    inside.get_future().wait();
    auto second = std::async(std::launch::async, [&] { return count(database); });
    EXPECT_EQ(second.wait_for(milliseconds(50)), std::future_status::timeout);
    leave.set_value();
    EXPECT_EQ(second.get(), 0);
}

TEST(SqliteFile, RefusesToWriteInARead) {
    const TempDirectory directory;
    SqliteDatabase database(directory.file("db"));
    create_table(database);
    EXPECT_EQ(error_of([&] { database.read([](SqlSession& sql) { sql.run("INSERT INTO vm(name) VALUES('a')"); }); }).code(),
              Code::io_failed);
    EXPECT_EQ(count(database), 0);
}

TEST(SqliteFile, SaysThatAFileIsNotADatabase) {
    const TempDirectory directory;
    std::ofstream(directory.file("db")) << std::string(8192, 'x');
    const Error error = error_of([&] { SqliteDatabase database(directory.file("db")); });
    EXPECT_EQ(error.code(), Code::io_failed);
    EXPECT_THAT(error.details(), HasSubstr("the file is damaged"));
}

TEST(SqliteFile, SaysWhichDirectoryIsMissing) {
    const Error error = error_of([&] { SqliteDatabase database("/nonexistent/hvagent/db"); });
    EXPECT_EQ(error.code(), Code::io_failed);
    EXPECT_THAT(error.details(), HasSubstr("/nonexistent/hvagent/db"));
}

// Copies the files while they are open: what a crash of the daemon leaves.
void copy_as_left_by_a_crash(const std::string& from, const std::string& to) {
    for (const char* suffix : {"", "-wal"}) std::filesystem::copy_file(from + suffix, to + suffix);
}

TEST(SqliteFile, HasAllFinishedWritesAfterACrash) {
    const TempDirectory directory;
    SqliteDatabase database(directory.file("db"));
    create_table(database);
    insert(database, "a");
    insert(database, "b", Durability::flushed);
    copy_as_left_by_a_crash(directory.file("db"), directory.file("crashed"));
    SqliteDatabase again(directory.file("crashed"));
    EXPECT_EQ(count(again), 2);
}

TEST(SqliteFile, FindsDamageAfterACrash) {
    const TempDirectory directory;
    {
        SqliteDatabase database(directory.file("db"));
        create_table(database);
        database.write(Durability::lazy, [](SqlSession& sql) {
            for (int i = 0; i < 500; ++i)
                sql.run("INSERT INTO vm(name) VALUES(?)", {std::string(100, 'a') + std::to_string(i)});
        });
    }
    {
        SqliteDatabase database(directory.file("db"));
        insert(database, "leaves a log");
        copy_as_left_by_a_crash(directory.file("db"), directory.file("crashed"));
    }
    std::fstream file(directory.file("crashed"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(5 * 4096);
    file << std::string(3 * 4096, '\xff');
    file.close();
    const Error error = error_of([&] { SqliteDatabase again(directory.file("crashed")); });
    EXPECT_EQ(error.code(), Code::io_failed);
    EXPECT_THAT(error.details(), HasSubstr("damaged"));
}

TEST(SqliteFile, SaysThatTheDiskIsFullAndGoesOnWhenThereIsRoomAgain) {
    const TempDirectory directory;
    if (::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=512k") != 0) {
        GTEST_SKIP() << "needs root to mount a small tmpfs: " << std::strerror(errno);
    }
    {
        SqliteDatabase database(directory.file("db"));
        create_table(database);
        insert(database, "before");
        {
            std::ofstream filler(directory.file("filler"));
            const std::string block(4096, 'x');
            while (filler << block << std::flush) {}
        }
        const Error error = error_of([&] {
            database.write(Durability::flushed, [](SqlSession& sql) {
                for (int i = 0; i < 300; ++i)
                    sql.run("INSERT INTO vm(name) VALUES(?)", {std::string(4000, 'a') + std::to_string(i)});
            });
        });
        EXPECT_EQ(error.code(), Code::io_failed);
        EXPECT_THAT(error.details(), HasSubstr("the disk is full"));
        EXPECT_LT(error.details().size(), 300U);
        EXPECT_EQ(count(database), 1);
        std::filesystem::remove(directory.file("filler"));
        insert(database, "after", Durability::flushed);
        EXPECT_EQ(count(database), 2);
    }
    ::umount(directory.path().c_str());
}

}  // namespace
}  // namespace hvagent
