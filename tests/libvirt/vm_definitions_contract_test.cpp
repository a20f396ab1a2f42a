// What every VmDefinitions does.
#include <algorithm>

#include "tests/libvirt/host_under_test.h"

namespace hvagent::testing {
namespace {

class VmDefinitionsContract : public HostTest {};
INSTANTIATE_TEST_SUITE_P(Hosts, VmDefinitionsContract, ::testing::ValuesIn(all_hosts()), name_of);

TEST_P(VmDefinitionsContract, DefinesAndUndefines) {
    const VmId vm = define_vm();
    EXPECT_TRUE(host->definitions().is_defined(vm));
    host->definitions().undefine(vm);
    EXPECT_FALSE(host->definitions().is_defined(vm));
    host->definitions().undefine(vm);
}

TEST_P(VmDefinitionsContract, RewritesADefinition) {
    VmSpec spec = small_spec();
    made.push_back(spec.vm);
    host->definitions().define(spec);
    spec.cpus = 2;
    spec.title = "other";
    host->definitions().define(spec);
    EXPECT_TRUE(host->definitions().is_defined(spec.vm));
    host->power().start(spec.vm, false);
    host->power().set_live_cpus(spec.vm, 2);  // no change: that is what it has
    EXPECT_EQ(thrown_code([&] { host->power().set_live_cpus(spec.vm, 1); }), Code::no_capability);
}

TEST_P(VmDefinitionsContract, KeepsARunningVmRunningWhenItIsUndefined) {
    const VmId vm = define_vm();
    host->power().start(vm, false);
    host->definitions().undefine(vm);
    EXPECT_FALSE(host->definitions().is_defined(vm));
    const auto seen = host->observer().look(vm);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->state, VmState::running);
    host->power().destroy(vm);
    EXPECT_FALSE(host->observer().look(vm));
}

TEST_P(VmDefinitionsContract, RefusesWhatNoHostCanRun) {
    VmSpec spec = small_spec();
    spec.cpus = 0;
    EXPECT_EQ(thrown_code([&] { host->definitions().define(spec); }), Code::invalid_argument);
    EXPECT_FALSE(host->definitions().is_defined(spec.vm));
}

TEST_P(VmDefinitionsContract, ListsForeignDomainsAndNeverTouchesThem) {
    const ForeignDomain foreign = host->add_foreign();
    const VmId own = define_vm();
    const auto listed = host->definitions().list_foreign();
    const auto named = [&](const std::string& name) {
        return std::any_of(listed.begin(), listed.end(), [&](const ForeignDomain& d) { return d.name == name; });
    };
    EXPECT_TRUE(named(foreign.name));
    EXPECT_FALSE(named(own.str()));

    VmSpec spec = small_spec();
    spec.vm = VmId(without_dashes(foreign.uuid));
    EXPECT_EQ(thrown_code([&] { host->definitions().define(spec); }), Code::operation_failed);
    EXPECT_EQ(thrown_code([&] { host->definitions().undefine(spec.vm); }), Code::operation_failed);
    EXPECT_FALSE(host->definitions().is_defined(spec.vm));
    EXPECT_FALSE(host->observer().look(spec.vm));
}

}  // namespace
}  // namespace hvagent::testing
