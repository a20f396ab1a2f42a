#include "agent/http/url.h"

#include <gtest/gtest.h>

#include "hvagent/error.h"

namespace hvagent::http {
namespace {

TEST(Url, DecodesOnceAndForgivesStrayPercentSigns) {
    EXPECT_EQ(percent_decode("a%20b%2Bc", false), "a b+c");
    EXPECT_EQ(percent_decode("%2541", false), "%41");
    EXPECT_EQ(percent_decode("web%&50%a%zz%4", false), "web%&50%a%zz%4");
    EXPECT_EQ(percent_decode("a+b", true), "a b");
    EXPECT_EQ(percent_decode("a+b", false), "a+b");
}

TEST(Url, ReadsQueriesAsClientsWriteThem) {
    const Query query = parse_query("q=name%3Dvm1&q=cpuNum>5&sort=+name&empty=&bare&&x=a=b?c");
    const Query expected{{"q", "name=vm1"}, {"q", "cpuNum>5"}, {"sort", " name"},
                         {"empty", ""},     {"bare", ""},      {"x", "a=b?c"}};
    EXPECT_EQ(query, expected);
    EXPECT_EQ(parse_query(""), Query{});
}

TEST(Url, PathsForgiveDoubleAndTrailingSlashes) {
    const std::vector<std::string> expected{"zstack", "v1", "vm-instances", "a b"};
    EXPECT_EQ(path_segments("/zstack/v1//vm-instances/a%20b/"), expected);
    EXPECT_TRUE(path_segments("/").empty());
}

TEST(Url, TheFirstQuestionMarkBeginsTheQuery) {
    EXPECT_EQ(split_target("/a?q=uuid?=b").path, "/a");
    EXPECT_EQ(split_target("/a?q=uuid?=b").query, "q=uuid?=b");
    EXPECT_EQ(split_target("/a?").query, "");
}

TEST(Url, RefusesWhatIsNotUtf8) {
    EXPECT_THROW(parse_query("q=%ff"), Error);
    EXPECT_THROW(path_segments("/a/%c0%af"), Error);
    EXPECT_TRUE(is_utf8("h\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
    for (const char* wrong : {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80",
                              "\xf0\x80\x80\x80", "\xf4\x90\x80\x80"})
        EXPECT_FALSE(is_utf8(wrong)) << testing::PrintToString(std::string(wrong));
}

}  // namespace
}  // namespace hvagent::http
