#include "agent/operations/migration/options.h"

#include <gmock/gmock.h>

#include "agent/operations/migration/convergence.h"
#include "agent/operations/vm/tags.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

using ::testing::HasSubstr;

MigrationOptions with_tags(const std::vector<std::string>& vm, const std::vector<std::string>& request) {
    return migration_options({}, vm, request, {});
}

Error refusal_of(const std::vector<std::string>& tags, const config::Settings& settings = {}) {
    try {
        migration_options(settings, {}, tags, {});
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "the tags were accepted";
    return Error(Code::internal, "");
}

TEST(MigrationOptions, ComeFromTheSettings) {
    config::Settings settings;
    settings.migration_bandwidth = 10 * MiB;
    settings.migration_max_downtime = 200;
    settings.migration_auto_converge = false;
    settings.migration_when_stuck = "post_copy";
    settings.migration_tls = false;
    const MigrationOptions options = migration_options(settings, {}, {}, {});
    EXPECT_EQ(options.bandwidth, 10 * MiB);
    EXPECT_EQ(options.max_downtime, milliseconds(200));
    EXPECT_FALSE(options.auto_converge);
    EXPECT_EQ(options.when_stuck, WhenStuck::post_copy);
    MigrationWay way;
    apply(options, way);
    EXPECT_EQ(way.bandwidth, 10 * MiB);
    EXPECT_EQ(way.max_downtime, milliseconds(50)) << "the ladder begins low";
    EXPECT_TRUE(way.post_copy);
    EXPECT_FALSE(way.tls);
    EXPECT_FALSE(way.auto_converge);
}

TEST(MigrationOptions, TheRequestOutdoesTheVmAndTheVmTheSettings) {
    const std::vector<std::string> vm{"hostname::web", "migration::bandwidth::2097152", "migration::max_downtime::100"};
    const MigrationOptions options = with_tags(vm, {"migration::max_downtime::900", "migration::when_stuck::abort"});
    EXPECT_EQ(options.bandwidth, 2 * MiB);
    EXPECT_EQ(options.max_downtime, milliseconds(900));
    EXPECT_EQ(options.when_stuck, WhenStuck::abort);
}

TEST(MigrationOptions, ParametersOfTheRequestComeLast) {
    const MigrationOptions options = migration_options(
        {}, {}, {"migration::auto_converge::false", "migration::max_downtime::900"}, {true, milliseconds(70)});
    EXPECT_TRUE(options.auto_converge);
    EXPECT_EQ(options.max_downtime, milliseconds(70));
    EXPECT_THROW(migration_options({}, {}, {}, {false, milliseconds(5)}), Error);
}

TEST(MigrationOptions, UnknownTagsOfTheRequestAreRefusedByName) {
    EXPECT_THAT(refusal_of({"migration::speed::5"}).details(), HasSubstr("migration::speed::5"));
    EXPECT_THAT(refusal_of({"hostname::web"}).details(), HasSubstr("migration::bandwidth::"));
    EXPECT_EQ(refusal_of({"migration::bandwidth::1000"}).code(), Code::invalid_argument) << "less than libvirt can limit";
    EXPECT_EQ(refusal_of({"migration::bandwidth::5x"}).code(), Code::invalid_argument);
    EXPECT_EQ(refusal_of({"migration::bandwidth::0", "migration::bandwidth::1048576"}).code(), Code::duplicate_tag);
}

TEST(MigrationOptions, ParallelConnectionsExcludePostCopyAndCompression) {
    EXPECT_THAT(refusal_of({"migration::parallel_connections::4", "migration::compressed::true"}).details(),
                HasSubstr("compression"));
    EXPECT_THAT(refusal_of({"migration::parallel_connections::4", "migration::when_stuck::post_copy"}).details(),
                HasSubstr("post-copy"));
    EXPECT_EQ(with_tags({}, {"migration::parallel_connections::4"}).parallel_connections, 4);
}

TEST(MigrationOptions, VmsCarryThemAsTags) {
    check_vm_tags({"migration::bandwidth::1048576", "migration::when_stuck::pause"});
    try {
        check_vm_tags({"migration::when_stuck::hope"});
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_THAT(error.details(), HasSubstr("abort|pause|post_copy"));
    }
}

TEST(MigrationOptions, PlainConnectionsOnlyWhenChosen) {
    MigrationOptions options;
    EXPECT_EQ(libvirt_uri(options, "10.0.0.2"), "qemu+tls://10.0.0.2/system");
    options.tls = false;
    EXPECT_EQ(libvirt_uri(options, "fd00::2"), "qemu+tcp://[fd00::2]/system");
}

TEST(MigrationOptions, ALimitOfTheBandwidthGivesMoreTime) {
    MigrationOptions options;
    options.timeout_per_gib = seconds(100);
    EXPECT_EQ(time_for(options, 2 * GiB), seconds(200));
    EXPECT_EQ(time_for(options, 100 * MiB), seconds(60));
    options.bandwidth = MiB;
    EXPECT_EQ(time_for(options, GiB), seconds(3 * 1024));
}

}  // namespace
}  // namespace hvagent::operations
