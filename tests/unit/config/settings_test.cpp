#include "agent/config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/fakes/thrown_error.h"

namespace hvagent::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::string refusal(const std::string& text) {
    const Error error = thrown_error([&] { parse_settings(text, "hvagent.toml"); });
    EXPECT_EQ(error.code(), Code::invalid_argument);
    return error.details();
}

TEST(Settings, KeepTheirDefaultsWhereTheFileSaysNothing) {
    const Settings settings = parse_settings("[http]\nlisten = \"0.0.0.0:80\"\n", "hvagent.toml");
    EXPECT_EQ(settings.http_listen, "0.0.0.0:80");
    EXPECT_EQ(settings.libvirt_uri, Settings().libvirt_uri);
}

TEST(Settings, TakeEveryKindOfValue) {
    const Settings settings = parse_settings(R"(
[http]
insecure = true
max_body = 10000000000
[host]
cpu_ratio = 4
memory_ratio = 1.5
[network]
dns = ["1.1.1.1", "8.8.8.8"]
[vm]
stop_grace = 5
cdroms = 0
)",
                                             "hvagent.toml");
    EXPECT_TRUE(settings.http_insecure);
    EXPECT_EQ(settings.http_max_body, 10000000000);
    EXPECT_EQ(settings.cpu_ratio, 4.0);
    EXPECT_EQ(settings.memory_ratio, 1.5);
    EXPECT_EQ(settings.network_dns, (std::vector<std::string>{"1.1.1.1", "8.8.8.8"}));
    EXPECT_EQ(settings.stop_grace, seconds(5));
    EXPECT_EQ(settings.cdroms, 0);
}

TEST(Settings, NameFileLineAndKeyOfAMisspeltSetting) {
    EXPECT_EQ(refusal("[vm]\ncdroms = 1\nstop_graze = 5\n"), "hvagent.toml:3: unknown setting [vm] stop_graze");
    EXPECT_THAT(refusal("[wm]\nstop_grace = 5\n"), HasSubstr("unknown setting [wm] stop_grace"));
    EXPECT_THAT(refusal("stop_grace = 5\n"), AllOf(StartsWith("hvagent.toml:1"), HasSubstr("outside any [section]")));
}

TEST(Settings, SayWhatWasExpectedInsteadOfAWrongType) {
    EXPECT_EQ(refusal("[http]\nlisten = 80\n"), "hvagent.toml:2: [http] listen must be a text");
    EXPECT_THAT(refusal("[http]\ninsecure = 1\n"), HasSubstr("must be true or false"));
    EXPECT_THAT(refusal("[http]\ninsecure = \"yes\"\n"), HasSubstr("must be true or false"));
    EXPECT_THAT(refusal("[vm]\ncdroms = 1.5\n"), HasSubstr("whole number"));
    EXPECT_THAT(refusal("[vm]\nstop_grace = \"5\"\n"), HasSubstr("whole number"));
    EXPECT_THAT(refusal("[host]\ncpu_ratio = \"4\"\n"), HasSubstr("must be a number"));
    EXPECT_THAT(refusal("[network]\ndns = \"1.1.1.1\"\n"), HasSubstr("list of texts"));
    EXPECT_THAT(refusal("[network]\ndns = [1]\n"), HasSubstr("list of texts"));
}

TEST(Settings, RefuseValuesThatCannotWork) {
    EXPECT_THAT(refusal("[vm]\nstop_grace = -1\n"), HasSubstr("0 or more"));
    EXPECT_THAT(refusal("[vm]\ncdroms = 4\n"), HasSubstr("0 to 3"));
    EXPECT_THAT(refusal("[vm]\ndeletion_policy = \"Never\"\n"), HasSubstr("Delay or Direct"));
    EXPECT_THAT(refusal("[volume]\ndeletion_policy = \"Never\"\n"), HasSubstr("Delay or Direct"));
    EXPECT_THAT(refusal("[libvirt]\nvirt_type = \"xen\"\n"), HasSubstr("auto, kvm or qemu"));
    EXPECT_THAT(refusal("[network]\nbridge = \"a-bridge-too-far\"\n"), HasSubstr("15 characters"));
    for (const char* ratio : {"0.0", "-1.0", "nan", "inf"})
        EXPECT_THAT(refusal("[host]\nmemory_ratio = " + std::string(ratio) + "\n"), HasSubstr("above 0")) << ratio;
}

TEST(Settings, RefuseMigrationsThatCannotWork) {
    EXPECT_THAT(refusal("[migration]\nbandwidth = 1000\n"), HasSubstr("0 or at least 1048576"));
    EXPECT_THAT(refusal("[migration]\nmax_downtime = 0\n"), HasSubstr("10 to 60000"));
    EXPECT_THAT(refusal("[migration]\nwhen_stuck = \"wait\"\n"), HasSubstr("pause, post_copy or abort"));
    EXPECT_THAT(refusal("[migration]\nparallel_connections = 2\ncompressed = true\n"), HasSubstr("compressed"));
    EXPECT_THAT(refusal("[migration]\nparallel_connections = 2\nwhen_stuck = \"post_copy\"\n"), HasSubstr("post_copy"));
}

TEST(Settings, TellTheLineOfAMistakeInTheSyntax) {
    EXPECT_THAT(refusal("[http]\nlisten = \n"), StartsWith("hvagent.toml:2"));
}

TEST(Settings, OfAFileThatIsNotThereAreAnError) {
    EXPECT_THAT(thrown_error([] { load_settings("/nowhere/hvagent.toml"); }).details(), HasSubstr("/nowhere/hvagent.toml"));
}

TEST(Settings, NameTheLineOfAValueThatCannotWork) {
    EXPECT_EQ(refusal("[vm]\ncdroms = 4\n"), "hvagent.toml:2: [vm] cdroms must be 0 to 3");
    EXPECT_THAT(refusal("[log]\n\nlevel = \"loud\"\n"), StartsWith("hvagent.toml:3: [log] level must be debug, info"));
    EXPECT_THAT(refusal("[http]\ntls_cert = \"a\"\n"), StartsWith("hvagent.toml:2: [http] tls_cert needs tls_key"));
}

class SettingsFiles : public testing::Test {
protected:
    SettingsFiles() { std::filesystem::create_directories(directory_ / "hvagentd.d"); }
    ~SettingsFiles() override { std::filesystem::remove_all(directory_); }

    std::string write(const std::string& name, const std::string& text, int mode = 0640) {
        const auto path = directory_ / name;
        std::ofstream(path) << text;
        std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
        return path;
    }
    std::filesystem::path directory_ = testing::TempDir() + "settings-" + std::to_string(::getpid());
};

TEST_F(SettingsFiles, OfTheDropInDirectoryWinInTheOrderOfTheirNames) {
    const std::string main = write("hvagentd.toml", "[vm]\ncdroms = 1\nstop_grace = 5\n");
    write("hvagentd.d/20-second.toml", "[vm]\ncdroms = 3\n");
    write("hvagentd.d/10-first.toml", "[vm]\ncdroms = 2\n[host]\nname = \"h\"\n");
    write("hvagentd.d/30-disabled.toml.off", "nonsense");
    const Settings settings = load_settings(main);
    EXPECT_EQ(settings.cdroms, 3);
    EXPECT_EQ(settings.stop_grace, seconds(5));
    EXPECT_EQ(settings.host_name, "h");
}

TEST_F(SettingsFiles, NameTheDropInThatIsWrong) {
    const std::string main = write("hvagentd.toml", "[vm]\ncdroms = 1\n");
    const std::string wrong = write("hvagentd.d/10.toml", "\n[vm]\ncdroms = 4\n");
    EXPECT_EQ(thrown_error([&] { load_settings(main); }).details(), wrong + ":3: [vm] cdroms must be 0 to 3");
}

TEST_F(SettingsFiles, WithSecretsAreNotToBeReadByEveryone) {
    const std::string main = write("hvagentd.toml", "[admin]\nsession_timeout = 5\n", 0644);
    EXPECT_THAT(find_exposed_secrets(main), testing::IsEmpty());
    const std::string secret = write("hvagentd.d/10.toml", "[admin]\npassword = \"canary\"\n", 0640);
    EXPECT_THAT(find_exposed_secrets(main), testing::IsEmpty());
    write("hvagentd.d/10.toml", "[admin]\npassword = \"canary\"\n", 0644);
    EXPECT_THAT(find_exposed_secrets(main),
                testing::ElementsAre(AllOf(StartsWith(secret + ":2: [admin] password"), testing::Not(HasSubstr("canary")))));
    const std::string key = write("key.pem", "", 0644);
    write("hvagentd.d/10.toml", "[http]\ntls_cert = \"c\"\ntls_key = \"" + key + "\"\n", 0640);
    EXPECT_THAT(find_exposed_secrets(main), testing::ElementsAre(StartsWith(key + ": everyone")));
}

// What is printed is a file with every key commented out; taken in, it means the defaults.
TEST(DescribeSettings, IsAConfigurationFileWithEveryKey) {
    std::istringstream lines(describe_settings());
    std::string line, taken_in;
    int keys = 0;
    while (std::getline(lines, line)) {
        const bool is_key = line.starts_with("# ") && line.find(" = ") != std::string::npos;
        keys += is_key;
        taken_in += (is_key ? line.substr(2) : line) + "\n";
    }
    const Settings settings = parse_settings(taken_in, "printed.toml");
    EXPECT_GE(keys, 45);
    EXPECT_EQ(settings.http_listen, Settings().http_listen);
    EXPECT_EQ(settings.image_file_denied, Settings().image_file_denied);
    EXPECT_EQ(settings.image_max_size, Settings().image_max_size);
    EXPECT_EQ(settings.cpu_ratio, Settings().cpu_ratio);
    EXPECT_EQ(settings.job_result_lifetime, Settings().job_result_lifetime);
}

TEST(Settings, NameControllersInTablesOfTheirOwn) {
    const Settings settings = parse_settings(R"(
[[controllers]]
url = "https://one/"
token_file = "/etc/token"
[[controllers]]
url = "http://two/"
dialect = "zstack"
job_results = true
)",
                                             "hvagent.toml");
    ASSERT_EQ(settings.controllers.size(), 2u);
    EXPECT_EQ(settings.controllers[0].token_file, "/etc/token");
    EXPECT_EQ(settings.controllers[0].dialect, "hvagent");
    EXPECT_EQ(settings.controllers[1].url, "http://two/");
    EXPECT_TRUE(settings.controllers[1].job_results);
}

TEST(Settings, RefuseControllersThatAreWrittenWrongly) {
    EXPECT_THAT(refusal("[controllers]\nurl = \"http://x/\"\n"), HasSubstr("two brackets"));
    EXPECT_THAT(refusal("[[controllers]]\ndialect = \"zstack\"\n"), HasSubstr("needs a url"));
    EXPECT_THAT(refusal("[[controllers]]\nurl = \"http://x/\"\ntoken = \"x\"\n"),
                AllOf(StartsWith("hvagent.toml:3"), HasSubstr("token_file")));
    EXPECT_THAT(refusal("[[controllers]]\nurl = 5\n"), HasSubstr("must be a text"));
}

}  // namespace
}  // namespace hvagent::config
