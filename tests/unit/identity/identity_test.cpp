#include "agent/identity/identity.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "agent/identity/secret_hash.h"
#include "drivers/sqlite/sqlite_database.h"
#include "tests/fakes/movable_clock.h"
#include "tests/fakes/temp_directory.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent::identity {
namespace {

const std::string password = sha512_hex("password");

AccessKey key_of(const std::string& uuid, const std::string& id = "") {
    AccessKey key;
    key.uuid = uuid;
    key.id = id;
    key.account = admin_uuid;
    return key;
}

class IdentityTest : public testing::Test {
public:
    IdentityTest() { restart(); }

    // A new life of the daemon over the same file.
    void restart() {
        identity.reset();
        database.reset();
        database = std::make_unique<SqliteDatabase>(directory.file("agent.db"));
        identity = std::make_unique<Identity>(*database, clock, settings);
        identity->open();
    }
    // Empty when there is one already.
    std::string first_password() {
        std::string told;
        identity->make_first_admin_password([&told](const std::string& clear_text) { told = clear_text; });
        return told;
    }
    std::string everything_stored() const {
        std::string all;
        database->read([&all](SqlSession& sql) {
            for (const char* query :
                 {"SELECT hash, account, '', '' FROM identity_session", "SELECT password, '', '', '' FROM identity_account"})
                sql.each(query, {}, [&all](const SqlRow& row) { all += row.text(0) + row.text(1) + "\n"; });
        });
        return all;
    }

    TempDirectory directory;
    MovableClock clock;
    IdentitySettings settings{.max_sessions = 3, .password_iterations = 10};
    std::unique_ptr<SqliteDatabase> database;
    std::unique_ptr<Identity> identity;
};

TEST_F(IdentityTest, HashesTheDefaultPasswordAsClientsDo) {
    EXPECT_TRUE(password.starts_with("b109f3bbbc244eb8"));
    EXPECT_TRUE(password.ends_with("cbc86"));
}

TEST_F(IdentityTest, SignsAsTheTestVectorsOfTheClients) {
    EXPECT_EQ(hmac_sha1_base64("SECRET", "GET\nTue, 03 Jun 2025 10:11:12 CST\n/v1/vm-instances"),
              "PowWaYA8YNUENCgKsZSaQQtxTAQ=");
    EXPECT_EQ(hmac_sha1_base64(
                  "SECRET",
                  "PUT\nTue, 03 Jun 2025 10:11:12 Asia/Shanghai\n/v1/vm-instances/36c27e8ff05c4780bf6d2fa65700f22e/actions"),
              "0YWbYvZgHLEQPgXNaLPbk0Qkxpw=");
    EXPECT_EQ(hmac_sha1_base64("SECRET", "POST\nTue, 03 Jun 2025 02:11:12 Z\n/v1/vm-instances"),
              "6luspHuabPl+5HRVdZ3P5GK+rg0=");
}

TEST_F(IdentityTest, APasswordFitsItsHashOnly) {
    const std::string hash = hash_password("secret", 5);
    EXPECT_TRUE(is_password("secret", hash));
    EXPECT_FALSE(is_password("Secret", hash));
    EXPECT_NE(hash, hash_password("secret", 5)) << "each hash has a salt of its own";
    for (const char* broken : {"", "plain", "pbkdf2-sha256$0$a$b", "pbkdf2-sha256$x$a$b", "md5$1$a$b"})
        EXPECT_FALSE(is_password("secret", broken));
}

TEST_F(IdentityTest, NobodyLogsInBeforeThereIsAPassword) {
    EXPECT_EQ(thrown_error([this] { identity->log_in("admin", "", "::1"); }).code(), Code::authentication_failed);
}

TEST_F(IdentityTest, TheFirstPasswordIsMadeOnceAndKept) {
    const std::string first = first_password();
    EXPECT_GE(first.size(), 16u);
    EXPECT_EQ(first_password(), "");
    restart();
    EXPECT_EQ(first_password(), "");
    EXPECT_EQ(identity->log_in("admin", sha512_hex(first), "::1").account, admin_uuid);
}

TEST_F(IdentityTest, AFirstPasswordThatNobodyCouldBeToldIsMadeAgain) {
    EXPECT_THROW(identity->make_first_admin_password([](const std::string&) { throw Error(Code::io_failed, "disk full"); }),
                 Error);
    restart();
    EXPECT_NE(first_password(), "");
}

TEST_F(IdentityTest, TheConfiguredPasswordReplacesTheStoredOneAndEndsSessions) {
    identity->fix_admin_password("old");
    const Session session = identity->log_in("admin", sha512_hex("old"), "::1");
    identity->fix_admin_password("old");
    EXPECT_EQ(identity->account_of_session(session.uuid), admin_uuid) << "the same password changes nothing";
    identity->fix_admin_password("password");
    EXPECT_THROW(identity->account_of_session(session.uuid), Error);
    EXPECT_THROW(identity->log_in("admin", sha512_hex("old"), "::1"), Error);
    EXPECT_NO_THROW(identity->log_in("admin", password, "::1"));
}

TEST_F(IdentityTest, APasswordFromTheConfigurationCannotBeChangedOverTheApi) {
    identity->fix_admin_password("password");
    EXPECT_EQ(thrown_error([this] { identity->change_admin_password(sha512_hex("new"), std::nullopt, ""); }).code(),
              Code::operation_failed);
}

TEST_F(IdentityTest, ChangingThePasswordEndsOtherSessions) {
    const std::string first = first_password();
    const Session mine = identity->log_in("admin", sha512_hex(first), "::1");
    const Session other = identity->log_in("admin", sha512_hex(first), "::1");
    EXPECT_EQ(thrown_error([&] { identity->change_admin_password(password, sha512_hex("wrong"), mine.uuid); }).code(),
              Code::authentication_failed);
    identity->change_admin_password(password, sha512_hex(first), mine.uuid);
    EXPECT_NO_THROW(identity->account_of_session(mine.uuid));
    EXPECT_THROW(identity->account_of_session(other.uuid), Error);
    restart();
    EXPECT_NO_THROW(identity->account_of_session(mine.uuid));
    EXPECT_NO_THROW(identity->log_in("admin", password, "::1"));
}

TEST_F(IdentityTest, SessionsSurviveARestartAndOnlyHashesAreStored) {
    identity->fix_admin_password("password");
    const Session session = identity->log_in("admin", password, "::1");
    const std::string stored = everything_stored();
    EXPECT_NE(stored.find(sha256_hex(session.uuid)), std::string::npos);
    EXPECT_EQ(stored.find(session.uuid), std::string::npos);
    EXPECT_EQ(stored.find(password), std::string::npos);
    restart();
    EXPECT_EQ(identity->account_of_session(session.uuid), admin_uuid);
    identity->sessions().close(session.uuid);
    restart();
    EXPECT_THROW(identity->account_of_session(session.uuid), Error);
}

TEST_F(IdentityTest, SessionsExpireAlsoAcrossARestart) {
    identity->fix_admin_password("password");
    const Session session = identity->log_in("admin", password, "::1");
    clock.move(seconds(7100));
    EXPECT_NO_THROW(identity->account_of_session(session.uuid)) << "use does not lengthen it, but it is not over";
    clock.move(seconds(200));
    EXPECT_EQ(thrown_error([&] { identity->account_of_session(session.uuid); }).code(), Code::invalid_session);
    restart();
    EXPECT_EQ(everything_stored().find(sha256_hex(session.uuid)), std::string::npos);
}

TEST_F(IdentityTest, ARenewedSessionLastsLonger) {
    identity->fix_admin_password("password");
    const Session session = identity->log_in("admin", password, "::1");
    identity->sessions().renew(session.uuid, seconds(20000));
    clock.move(seconds(15000));
    restart();
    EXPECT_NO_THROW(identity->account_of_session(session.uuid));
    EXPECT_THROW(identity->sessions().renew("unknown", seconds(100)), Error);
}

TEST_F(IdentityTest, TooManySessionsInUseAreRefused) {
    identity->fix_admin_password("password");
    for (int i = 0; i < 3; ++i) identity->log_in("admin", password, "::1");
    EXPECT_EQ(thrown_error([this] { identity->log_in("admin", password, "::1"); }).code(), Code::too_many_sessions);
}

TEST_F(IdentityTest, ExpiredSessionsGiveWayBeforeIdleOnes) {
    identity->fix_admin_password("password");
    const Session first = identity->log_in("admin", password, "::1");
    clock.move(seconds(3600));
    const Session second = identity->log_in("admin", password, "::1");
    const Session third = identity->log_in("admin", password, "::1");
    clock.move(seconds(3700));
    identity->log_in("admin", password, "::1");
    EXPECT_NO_THROW(identity->account_of_session(second.uuid));
    EXPECT_NO_THROW(identity->account_of_session(third.uuid));
    EXPECT_THROW(identity->account_of_session(first.uuid), Error);
}

TEST_F(IdentityTest, TheSessionIdleForTheLongestTimeGivesWayWhenThereAreTooMany) {
    identity->fix_admin_password("password");
    const Session used = identity->log_in("admin", password, "::1");
    clock.move(seconds(1));
    const Session idle = identity->log_in("admin", password, "::1");
    clock.move(seconds(1));
    const Session younger = identity->log_in("admin", password, "::1");
    clock.move(std::chrono::minutes(11));
    identity->account_of_session(used.uuid);
    identity->log_in("admin", password, "::1");
    EXPECT_NO_THROW(identity->account_of_session(used.uuid));
    EXPECT_NO_THROW(identity->account_of_session(younger.uuid));
    EXPECT_THROW(identity->account_of_session(idle.uuid), Error);
}

TEST_F(IdentityTest, GuessingIsSlowedDownPerAddress) {
    identity->fix_admin_password("password");
    const auto guess = [this](const char* address) {
        return thrown_error([&] { identity->log_in("admin", "wrong", address); }).code();
    };
    for (int i = 0; i < 5; ++i) EXPECT_EQ(guess("10.0.0.1"), Code::authentication_failed);
    EXPECT_EQ(guess("10.0.0.1"), Code::login_refused);
    EXPECT_EQ(guess("10.0.0.2"), Code::authentication_failed);
    clock.move(seconds(2));
    EXPECT_EQ(guess("10.0.0.1"), Code::authentication_failed);
    clock.move(seconds(1));
    EXPECT_EQ(guess("10.0.0.1"), Code::login_refused) << "the wait grows";
    clock.move(std::chrono::minutes(16));
    for (int i = 0; i < 4; ++i) EXPECT_EQ(guess("10.0.0.1"), Code::authentication_failed) << "old failures are forgotten";
    EXPECT_NO_THROW(identity->log_in("admin", password, "10.0.0.1"));
    EXPECT_EQ(guess("10.0.0.1"), Code::authentication_failed);
}

TEST_F(IdentityTest, AccessKeysSurviveARestart) {
    const AccessKey key = identity->access_keys().create(key_of("u"));
    restart();
    ASSERT_EQ(identity->access_keys().list().size(), 1u);
    EXPECT_EQ(identity->access_keys().list().front().secret, key.secret);
    EXPECT_EQ(identity->access_keys().create(key_of("u")).id, key.id) << "a creation that runs again finds its key";
    EXPECT_THROW(identity->access_keys().create(key_of("v", key.id)), Error);
    identity->access_keys().remove("u");
    identity->access_keys().remove("u");
    restart();
    EXPECT_TRUE(identity->access_keys().list().empty());
}

TEST_F(IdentityTest, ThePasswordFileIsForItsOwnerOnly) {
    const std::string path = directory.file("password");
    write_file(path, "older and longer text");
    chmod(path.c_str(), 0644);
    write_password_file(path, "secret");
    EXPECT_EQ(read_file(path), "secret\n");
    struct stat state {};
    ASSERT_EQ(stat(path.c_str(), &state), 0);
    EXPECT_EQ(state.st_mode & 0777, 0600u);
    EXPECT_THROW(write_password_file(directory.file("no/such/directory"), "secret"), Error);
}

}  // namespace
}  // namespace hvagent::identity
