#include "agent/cli/doctor.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "tests/fakes/temp_directory.h"

namespace hvagent::cli {
namespace {

using testing::HasSubstr;

std::string kinds(const Findings& findings) {
    std::string text;
    for (const json& one : findings.list())
        text += one["severity"].get<std::string>() + " " + one["kind"].get<std::string>() + ";";
    return text;
}

TEST(Doctor, ReadsTheConfigurationAndSaysWhatIsWrongWithIt) {
    TempDirectory directory;
    Findings findings;
    write_file(directory.file("hvagentd.toml"), "[storage]\nfull_percent = 75\n");
    EXPECT_EQ(examine_settings(directory.file("hvagentd.toml"), findings).storage_full_percent, 75);
    EXPECT_EQ(kinds(findings), "");
    write_file(directory.file("hvagentd.toml"), "[storage]\nfull = 75\n");
    EXPECT_EQ(examine_settings(directory.file("hvagentd.toml"), findings).storage_full_percent, 90);
    EXPECT_EQ(kinds(findings), "error WrongSettings;");
    EXPECT_TRUE(findings.is_wrong());
}

TEST(Doctor, WithoutAConfigurationTheDefaultsHoldAndNothingIsWrong) {
    Findings findings;
    examine_settings("/nowhere/hvagentd.toml", findings);
    EXPECT_EQ(kinds(findings), "note NoSettings;");
    EXPECT_FALSE(findings.is_wrong());
}

TEST(Doctor, SeesADirectoryThatIsGoneOrFull) {
    TempDirectory directory;
    Findings findings;
    examine_directory("primary storage", directory.path(), 101, findings);
    EXPECT_EQ(kinds(findings), "");
    examine_directory("primary storage", directory.path(), 0, findings);
    examine_directory("primary storage", directory.file("gone"), 90, findings);
    EXPECT_EQ(kinds(findings), "warning StorageNearlyFull;error StorageLost;");
}

TEST(Doctor, SeesWhetherSomebodyListensForLibvirt) {
    TempDirectory directory;
    const config::Settings settings;
    Findings findings;
    examine_libvirt(settings, directory.path(), findings);
    EXPECT_EQ(kinds(findings), "error LibvirtUnreachable;");
    std::filesystem::create_directory(directory.file("libvirt"));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, directory.file("libvirt/libvirt-sock").c_str(), sizeof address.sun_path - 1);
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(listen(listener, 1), 0);
    Findings none;
    examine_libvirt(settings, directory.path(), none);
    EXPECT_EQ(kinds(none), "");
    close(listener);
}

TEST(Doctor, SeesThatThePortIsSomebodyElses) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(listen(listener, 1), 0);
    socklen_t size = sizeof address;
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    const std::string place = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    Findings findings;
    examine_port(place, findings);
    EXPECT_EQ(kinds(findings), "error PortTaken;");
    close(listener);
    Findings none;
    examine_port(place, none);
    EXPECT_EQ(kinds(none), "");
}

TEST(Doctor, KnowsWhenKvmIsNotWanted) {
    config::Settings settings;
    settings.virt_type = "qemu";
    Findings findings;
    examine_kvm(settings, findings);
    EXPECT_EQ(kinds(findings), "");
}

TEST(Doctor, TakesTheAgentsWordWhereBothSawTheSame) {
    Findings findings;
    findings.add("warning", "KvmUnusable", "there is no /dev/kvm", "/dev/kvm");
    findings.add_all(
        {{{"severity", "error"}, {"kind", "KvmUnusable"}, {"details", "it runs no guest"}, {"path", "/dev/kvm"}},
         {{"severity", "note"}, {"kind", "ForeignDomain"}, {"details", "a"}},
         {{"severity", "note"}, {"kind", "ForeignDomain"}, {"details", "b"}}});
    EXPECT_EQ(kinds(findings), "error KvmUnusable;note ForeignDomain;note ForeignDomain;");
    EXPECT_THAT(findings.list()[0]["details"].get<std::string>(), HasSubstr("runs no guest"));
}

}  // namespace
}  // namespace hvagent::cli
