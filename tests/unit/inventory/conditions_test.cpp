// How a condition is taken apart, and what is refused.
#include "agent/inventory/condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/inventory/condition_sql.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent::inventory {
namespace {

struct Form {
    const char* text;
    const char* field;
    Comparison comparison;
    const char* value;
    friend std::ostream& operator<<(std::ostream& out, const Form& form) { return out << form.text; }
};

class ConditionForm : public testing::TestWithParam<Form> {};

TEST_P(ConditionForm, IsTakenApart) {
    const Condition condition = parse_condition(GetParam().text);
    EXPECT_EQ(condition.field, GetParam().field);
    EXPECT_EQ(condition.comparison, GetParam().comparison);
    EXPECT_EQ(condition.value, GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(
    Operators, ConditionForm,
    testing::Values(Form{"name=vm", "name", Comparison::equal, "vm"}, Form{"name!=vm", "name", Comparison::not_equal, "vm"},
                    Form{"cpuNum>5", "cpuNum", Comparison::greater, "5"}, Form{"cpuNum<5", "cpuNum", Comparison::less, "5"},
                    Form{"cpuNum>=5", "cpuNum", Comparison::greater_equal, "5"},
                    Form{"cpuNum<=5", "cpuNum", Comparison::less_equal, "5"},
                    Form{"name?=a,b", "name", Comparison::in, "a,b"}, Form{"name!?=a,b", "name", Comparison::not_in, "a,b"},
                    Form{"name~=a%", "name", Comparison::like, "a%"}, Form{"name!~=a%", "name", Comparison::not_like, "a%"},
                    Form{"a is null", "a", Comparison::is_null, ""}, Form{"a not null", "a", Comparison::not_null, ""},
                    Form{"a is not null", "a", Comparison::not_null, ""}, Form{"a=null", "a", Comparison::is_null, "null"},
                    Form{"a!=null", "a", Comparison::not_null, "null"},
                    Form{" a  IS  Null ", "a", Comparison::is_null, ""}));

INSTANTIATE_TEST_SUITE_P(TheFirstOperatorCounts, ConditionForm,
                         testing::Values(Form{"name~=a!=b", "name", Comparison::like, "a!=b"},
                                         Form{"name=a>=b", "name", Comparison::equal, "a>=b"},
                                         Form{"name==", "name", Comparison::equal, "="},
                                         Form{"name=?=", "name", Comparison::equal, "?="},
                                         Form{"name>=<", "name", Comparison::greater_equal, "<"},
                                         Form{"name=x is null", "name", Comparison::equal, "x is null"},
                                         Form{"tag=a::b", "tag", Comparison::equal, "a::b"}));

INSTANTIATE_TEST_SUITE_P(BlanksOfTheNameGoThoseOfTheValueStay, ConditionForm,
                         testing::Values(Form{" name = a b ", "name", Comparison::equal, " a b "},
                                         Form{"name= ", "name", Comparison::equal, " "},
                                         Form{"name?=a, b", "name", Comparison::in, "a, b"}));

TEST(Conditions, JoinsAreTheNamesBeforeTheLastDot) {
    const Condition condition = parse_condition("vmNics.l3Network.name=net.1");
    EXPECT_THAT(condition.joins, testing::ElementsAre("vmNics", "l3Network"));
    EXPECT_EQ(condition.field, "name");
    EXPECT_EQ(condition.value, "net.1");
}

class BadCondition : public testing::TestWithParam<const char*> {};

TEST_P(BadCondition, IsRefusedAsABadRequest) {
    const Error error = thrown_error([] { parse_condition(GetParam()); });
    EXPECT_EQ(error.code(), Code::bad_request);
    EXPECT_THAT(error.details(), testing::HasSubstr(std::string(GetParam()).substr(0, 20)));
}

INSTANTIATE_TEST_SUITE_P(NoOperator, BadCondition,
                         testing::Values("", "name", "name vm", "name!vm", "name~vm", "name?vm", "is null", "null",
                                         "namenull", "name null", "nameis null", " not null"));
INSTANTIATE_TEST_SUITE_P(NoName, BadCondition,
                         testing::Values("=vm", " =vm", "!=vm", ".=vm", "a.=vm", ".a=vm", "a..b=vm", "a. b=vm"));
INSTANTIATE_TEST_SUITE_P(NoValue, BadCondition,
                         testing::Values("name=", "name!=", "name>", "name>=", "name?=", "name!?=", "name~=", "name!~="));
INSTANTIATE_TEST_SUITE_P(NoNameOfAField, BadCondition,
                         testing::Values("na me=vm", "name;=vm", "\"name\"=vm", "name)=1", "na\tme=vm", "näme=vm",
                                         "a is nullx=1", "a is null=1", "name--=1"));
INSTANTIATE_TEST_SUITE_P(TooDeep, BadCondition, testing::Values("a.b.c.d.e.f.g.h=1"));

TEST(Conditions, SixJoinsAreTheMost) {
    EXPECT_EQ(parse_condition("a.b.c.d.e.f.g=1").joins.size(), 6u);
}

TEST(Conditions, OneOfMoreThan64KiBIsRefusedAndNotEchoed) {
    const Error error = thrown_error([] { parse_condition("name=" + std::string(64 * 1024, 'x')); });
    EXPECT_EQ(error.code(), Code::bad_request);
    EXPECT_LT(error.details().size(), 300u);
    EXPECT_NO_THROW(parse_condition("name=" + std::string(64 * 1024 - 5, 'x')));
}

TEST(Conditions, ANulByteIsRefused) {
    EXPECT_EQ(thrown_error([] { parse_condition(std::string_view("name=a\0b", 8)); }).code(), Code::bad_request);
}

TEST(LikePattern, OnlyWildcardsAndBackslashesCanBeEscaped) {
    EXPECT_EQ(like_pattern("a%b_c"), "a%b_c");
    EXPECT_EQ(like_pattern(R"(50\%)"), R"(50\%)");
    EXPECT_EQ(like_pattern(R"(a\_b)"), R"(a\_b)");
    EXPECT_EQ(like_pattern(R"(a\\b)"), R"(a\\b)");
    EXPECT_EQ(like_pattern(R"(C:\dir)"), R"(C:\\dir)");
    EXPECT_EQ(like_pattern("end\\"), "end\\\\");
    EXPECT_EQ(like_pattern(R"(\\%)"), R"(\\%)");
}

TEST(CompiledConditions, NeverCarryTheValueInTheirText) {
    const Resource& vm = get_resource("VmInstance");
    for (const char* text :
         {"name=SECRET", "name~=SECRET%", "name?=SECRET,SECRET", "vmNics.ip!=SECRET", "__systemTag__=SECRET:SECRET",
          "zone.cluster.name!?=SECRET", "cluster.primaryStorage.attachedClusterUuids=SECRET"})
        EXPECT_EQ(compile_condition(vm, parse_condition(text)).sql.find("SECRET"), std::string::npos) << text;
}

}  // namespace
}  // namespace hvagent::inventory
