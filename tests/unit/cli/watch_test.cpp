#include "agent/cli/watch.h"

#include <gtest/gtest.h>

namespace hvagent::cli {
namespace {

TEST(EventReader, PutsEventsTogetherHoweverTheyAreCut) {
    const std::string stream =
        "retry: 1000\n\nid: b-1\nevent: vmStates\ndata: {\"vms\":[]}\n\n: heartbeat\n\nid: b-2\nevent: end\ndata: {}\n\n";
    for (std::size_t size = 1; size < stream.size(); ++size) {
        EventReader reader;
        std::vector<EventReader::Event> events;
        for (std::size_t at = 0; at < stream.size(); at += size)
            for (auto& event : reader.feed(std::string_view(stream).substr(at, size))) events.push_back(event);
        ASSERT_EQ(events.size(), 2u) << size;
        EXPECT_EQ(events[0].kind, "vmStates");
        EXPECT_EQ(events[0].data, "{\"vms\":[]}");
        EXPECT_EQ(reader.last_id(), "b-2");
    }
}

TEST(EventReader, ABrokenEventIsForgottenAndItsIdTooSoThatItComesAgain) {
    EventReader reader;
    reader.feed("id: b-1\nevent: x\ndata: {}\n\nid: b-2\nevent: x\nda");
    reader.begin();
    EXPECT_EQ(reader.last_id(), "b-1");
    EXPECT_EQ(reader.feed("id: b-2\nevent: x\ndata: {}\n\n").size(), 1u);
}

TEST(EventPrinter, NamesVmsAndKeepsTerminalsSafe) {
    EventPrinter printer;
    const auto first =
        printer.lines({"snapshot", R"({"vms":[{"uuid":"0123456789","name":"web","state":"Running","observedAt":"T"}]})"});
    EXPECT_EQ(first, std::vector<std::string>{"T  web (01234567)  Running"});
    const auto lines = printer.lines(
        {"vmStates",
         R"({"vms":[{"uuid":"0123456789","previousState":"Running","state":"Stopped","reason":"a\u001b[2J","source":"libvirt","observedAt":"T"}]})"});
    EXPECT_EQ(lines, std::vector<std::string>{"T  web (01234567)  Running -> Stopped  a?[2J  by libvirt"});
}

}  // namespace
}  // namespace hvagent::cli
