#include "agent/reports/dialect.h"

#include <gtest/gtest.h>

namespace hvagent::reports {
namespace {

class Zstack : public testing::Test {
protected:
    // "commandpath body" of what one change leads to.
    std::vector<std::string> told(const char* before, const char* after, const char* reason, const char* source) {
        const json change = {{"uuid", "v"},      {"previousState", before}, {"state", after},
                             {"reason", reason}, {"source", source},        {"observedAt", ""}};
        std::vector<std::string> lines;
        for (const Letter& letter : dialect->write({{1, "b", 1, std::string(vm_states), json::array({change}).dump()}}, 1))
            lines.push_back(letter.headers.at("commandpath") + " " + letter.body);
        return lines;
    }
    static std::string state(const std::string& word) {
        return R"(/kvm/reportvmstate {"hostUuid":"h","vmState":")" + word + R"(","vmUuid":"v"})";
    }
    const std::unique_ptr<Dialect> dialect = make_zstack_dialect("h");
};

using Lines = std::vector<std::string>;

TEST_F(Zstack, AGuestThatPowersOffIsToldAsShutdown) {
    EXPECT_EQ(told("Running", "Stopped", "shutdown", "libvirt"),
              (Lines{R"(/kvm/reportvmshutdown {"vmUuid":"v"})", state("Shutdown")}));
}

TEST_F(Zstack, ACrashIsToldTwice) {
    EXPECT_EQ(told("Running", "Crashed", "crashed", "libvirt"),
              (Lines{R"(/kvm/reportvmcrash {"vmUuid":"v"})", state("Crashed")}));
}

TEST_F(Zstack, WhatTheNodeOrderedItselfIsNotTold) {
    EXPECT_TRUE(told("Stopping", "Stopped", "destroyed", "job").empty());
    EXPECT_TRUE(told("Running", "Stopping", "", "job").empty());
    EXPECT_EQ(told("Starting", "Running", "booted", "job"), (Lines{R"(/kvm/reportvmstart {"vmUuid":"v"})"}));
}

TEST_F(Zstack, AVmThatLeftByMigrationIsNotStopped) {
    EXPECT_TRUE(told("Running", "Stopped", "migrated", "libvirt").empty());
}

TEST_F(Zstack, LibvirtAwayAndBackIsNoChange) {
    EXPECT_EQ(told("Stopped", "Running", "resumed", "libvirt"), Lines{state("Running")});
    EXPECT_TRUE(told("Running", "Unknown", "libvirt is silent", "agent").empty());
    EXPECT_TRUE(told("Unknown", "Running", "resumed", "libvirt").empty());
    EXPECT_TRUE(told("Running", "Unknown", "libvirt is silent", "agent").empty());
    EXPECT_EQ(told("Unknown", "Stopped", "shutdown", "libvirt").back(), state("Shutdown"));
}

TEST_F(Zstack, AVmOnItsWayOffIsNotToldAsRunning) {
    EXPECT_TRUE(told("Paused", "Running", "shutting down", "libvirt").empty());
    EXPECT_EQ(told("Running", "Stopped", "destroyed", "libvirt"), Lines{state("Shutdown")});
}

TEST_F(Zstack, OnlyKnownPairsAreTold) {
    EXPECT_TRUE(told("Stopped", "Crashed", "crashed", "libvirt").empty());
    EXPECT_TRUE(told("Crashed", "Paused", "user", "libvirt").empty());
}

TEST_F(Zstack, APathWithoutHandlerCountsAsTaken) {
    EXPECT_TRUE(dialect->is_taken({404, ""}));
    EXPECT_TRUE(dialect->is_taken({200, ""}));
    EXPECT_FALSE(dialect->is_taken({500, ""}));
    EXPECT_TRUE(dialect->write_heartbeat({}, 1).empty());
}

}  // namespace
}  // namespace hvagent::reports
