#include "drivers/qemu_img/program_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/qemu_img/flatten_estimate.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent {
namespace {

using testing::HasSubstr;

void expect_refused(const std::function<void()>& read, const std::string& shown) {
    const Error error = thrown_error(read);
    EXPECT_EQ(error.code(), Code::internal);
    EXPECT_THAT(error.details(), HasSubstr(shown));
}

TEST(PrintedByQemuImg, InfoHasASize) {
    EXPECT_EQ(read_printed_info(R"({"virtual-size": 1073741824, "format": "vmdk"})").virtual_size, GiB);
    EXPECT_TRUE(read_printed_info(R"({"virtual-size": 0, "encrypted": true})").is_encrypted);
    for (const char* wrong :
         {"", "[]", "{}", R"({"virtual-size": -1})", R"({"virtual-size": "8"})", R"({"virtual-size": 1e9})",
          R"({"virtual-size": 9223372036854775808})", R"({"virtual-size": 1, "encrypted": 1})"})
        expect_refused([&] { read_printed_info(wrong); }, std::string("qemu-img info printed \"") + wrong);
}

TEST(PrintedByQemuImg, MeasureSaysWhatIsRequired) {
    EXPECT_EQ(read_printed_measure(R"({"required": 393216, "fully-allocated": 1074135040})"), 393216);
    expect_refused([] { read_printed_measure("qemu-img: no"); }, "qemu-img measure printed \"qemu-img: no\"");
}

TEST(PrintedByQemuImg, ACheckThatGaveUpHasNoReport) {
    const auto report = read_printed_check(R"({"check-errors": 0, "leaks": 3, "corruptions": 2})");
    ASSERT_TRUE(report);
    EXPECT_EQ(report->leaked_clusters, 3);
    EXPECT_EQ(report->corruptions, 2);
    EXPECT_EQ(read_printed_check(R"({"check-errors": 0})")->leaked_clusters, 0);
    EXPECT_FALSE(read_printed_check(""));
    expect_refused([] { read_printed_check(R"({"leaks": 3})"); }, "leaks");
}

TEST(PrintedByQemuImg, AnExtentLiesWithinWhatCanBe) {
    const auto extent = read_printed_extent(R"([{ "start": 5, "length": 7, "depth": 1, "present": false, "data": true},)");
    ASSERT_TRUE(extent);
    EXPECT_EQ(extent->start + extent->length, 12);
    EXPECT_EQ(extent->depth, 1);
    EXPECT_TRUE(extent->is_data);
    EXPECT_FALSE(extent->is_present);
    EXPECT_FALSE(read_printed_extent("]"));
    EXPECT_FALSE(read_printed_extent("}{"));
    for (const char* wrong :
         {R"({"start": 0})", R"({"start": 0, "length": 0})", R"({"start": -1, "length": 1})",
          R"({"start": 9223372036854775807, "length": 1})", R"({"start": 0, "length": 1, "depth": "1"})"})
        expect_refused([&] { read_printed_extent(wrong); }, std::string("qemu-img map printed \"") + wrong);
}

TEST(PrintedByQemuImg, NoMapNamesMoreThanAQcow2Holds) {
    FlattenCounter counter(64 * KiB);
    expect_refused([&] { counter.add_line(R"({"start": 0, "length": 4611686018427387904, "depth": 0})"); },
                   "that no qcow2 has");
}

TEST(PrintedByQemuImg, ProgressIsAPercentage) {
    EXPECT_EQ(read_printed_percent("    (12.50/100%)"), 12);
    EXPECT_EQ(read_printed_percent("(900/100%)"), 100);
    EXPECT_FALSE(read_printed_percent("(12)"));
}

}  // namespace
}  // namespace hvagent
