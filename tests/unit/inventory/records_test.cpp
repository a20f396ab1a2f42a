// Every stored struct survives the store, member by member.
#include "agent/inventory/record_json.h"
#include "tests/unit/inventory/fixture.h"
#include "tests/unit/inventory/samples.h"

namespace hvagent::inventory {
namespace {

// Converts to whatever a member of an aggregate is.
struct Anything {
    template <class M>
    operator M() const;
};

template <class T, class... Given>
consteval std::size_t member_count() {
    if constexpr (requires { T{Given{}..., Anything{}}; })
        return member_count<T, Given..., Anything>();
    else
        return sizeof...(Given);
}

std::size_t stored_columns(const Table& table) {
    std::size_t count = 0;
    for (const Column& column : table.columns) count += column.expression.empty() ? 1 : 0;
    return count;
}

template <class T>
class StoredStruct : public StoreTest {};

using AllStructs =
    testing::Types<Vm, VmNic, VmCdRom, Image, ImageRef, Volume, PrimaryStorage, BackupStorage, Zone, Cluster, Host,
                   L2Network, L3Network, IpRange, UsedIp, InstanceOffering, DiskOffering, Attachment, NetworkService, Tag,
                   Account, ShareableVolumeRef, VolumeSnapshot, SnapshotTree, Scheduler, Migration, Peer>;
TYPED_TEST_SUITE(StoredStruct, AllStructs);

TYPED_TEST(StoredStruct, HasAColumnForEachMember) {
    EXPECT_EQ(stored_columns(record_of<TypeParam>().table()), member_count<TypeParam>());
}

TYPED_TEST(StoredStruct, TravelsAsJson) {
    const auto& record = record_of<TypeParam>();
    const TypeParam given = sample<TypeParam>();
    const auto sent = nlohmann::json::parse(record_to_json(given).dump());
    EXPECT_EQ(record.store(record_from_json<TypeParam>(sent)), record.store(given));
    EXPECT_EQ(record.store(record_from_json<TypeParam>(nlohmann::json::object())), record.store(TypeParam{}))
        << "what an older peer does not send is as in a fresh one";
}

TYPED_TEST(StoredStruct, ComesBackMemberByMember) {
    const TypeParam given = sample<TypeParam>();
    const SqlValues fresh = record_of<TypeParam>().store(TypeParam{});
    const SqlValues values = record_of<TypeParam>().store(given);
    for (std::size_t i = 0; i < values.size(); ++i)
        EXPECT_NE(values[i], fresh[i]) << "the sample does not exercise column " << i << " of "
                                       << record_of<TypeParam>().table().name;

    this->inventory.insert(given);
    const std::optional<TypeParam> found = this->inventory.template find<TypeParam>(given.uuid);
    ASSERT_TRUE(found);
    EXPECT_EQ(record_of<TypeParam>().store(*found), values);
}

TYPED_TEST(StoredStruct, AFreshOneComesBackToo) {
    TypeParam given{};
    given.uuid = sample<TypeParam>().uuid;
    this->inventory.insert(given);
    given.created = given.last_op = this->clock.now();
    const TypeParam found = this->inventory.template get<TypeParam>(given.uuid);
    EXPECT_EQ(record_of<TypeParam>().store(found), record_of<TypeParam>().store(given));
}

TYPED_TEST(StoredStruct, IsGoneOnceRemovedAndRemovingAgainIsNoError) {
    const TypeParam given = sample<TypeParam>();
    this->inventory.insert(given);
    this->inventory.template remove<TypeParam>(given.uuid);
    EXPECT_FALSE(this->inventory.template find<TypeParam>(given.uuid));
    EXPECT_NO_THROW(this->inventory.template remove<TypeParam>(given.uuid));
    const Error error = thrown_error([&] { this->inventory.template get<TypeParam>(given.uuid); });
    EXPECT_EQ(error.code(), Code::not_found);
    EXPECT_THAT(error.details(), testing::HasSubstr(record_of<TypeParam>().table().resource));
}

using Records = StoreTest;

TEST_F(Records, TheDatesOfANewOneAreNow) {
    add_vm(1, "web-1");
    const Vm vm = inventory.get<Vm>(VmId(uuid(1)));
    EXPECT_EQ(vm.created, clock.now());
    EXPECT_EQ(vm.last_op, clock.now());
}

TEST_F(Records, TwoWithOneUuidAreRefused) {
    add_vm(1, "web-1");
    EXPECT_EQ(thrown_error([&] { add_vm(1, "web-2"); }).code(), Code::operation_failed);
    EXPECT_EQ(inventory.get<Vm>(VmId(uuid(1))).name, "web-1");
}

TEST_F(Records, OneWithoutUuidIsRefused) {
    EXPECT_EQ(thrown_error([&] { inventory.insert(Vm{}); }).code(), Code::internal);
}

TEST_F(Records, ModifyChangesAndDatesObserveOnlyChanges) {
    add_vm(1, "web-1");
    const Time born = clock.now();
    clock.unix_ms += 5000;
    EXPECT_TRUE(inventory.observe<Vm>(VmId(uuid(1)), [](Vm& vm) { vm.observed = VmState::running; }));
    EXPECT_EQ(inventory.get<Vm>(VmId(uuid(1))).observed, VmState::running);
    EXPECT_EQ(inventory.get<Vm>(VmId(uuid(1))).last_op, born);
    const Vm changed = inventory.modify<Vm>(VmId(uuid(1)), [](Vm& vm) { vm.name = "web-2"; });
    EXPECT_EQ(changed.last_op, clock.now());
    EXPECT_EQ(inventory.get<Vm>(VmId(uuid(1))).name, "web-2");
    EXPECT_EQ(inventory.get<Vm>(VmId(uuid(1))).created, born);
}

TEST_F(Records, ModifyingWhatIsNotThereFailsObservingSaysSo) {
    EXPECT_EQ(thrown_error([&] { inventory.modify<Vm>(VmId(uuid(9)), [](Vm&) {}); }).code(), Code::not_found);
    EXPECT_FALSE(inventory.observe<Vm>(VmId(uuid(9)), [](Vm&) { FAIL(); }));
}

TEST_F(Records, AChangeThatThrowsChangesNothing) {
    add_vm(1, "web-1");
    EXPECT_THROW(inventory.modify<Vm>(VmId(uuid(1)),
                                      [](Vm& vm) {
                                          vm.name = "half";
                                          throw std::runtime_error("no");
                                      }),
                 std::runtime_error);
    EXPECT_EQ(inventory.get<Vm>(VmId(uuid(1))).name, "web-1");
}

TEST_F(Records, AUuidCannotChange) {
    add_vm(1, "web-1");
    EXPECT_EQ(thrown_error([&] { inventory.modify<Vm>(VmId(uuid(1)), [](Vm& vm) { vm.uuid = VmId(uuid(2)); }); }).code(),
              Code::internal);
}

TEST_F(Records, ListsByExactValuesInOrderOfCreation) {
    for (const auto& [number, name] : {std::pair{3, "b"}, {1, "a"}, {2, "B"}}) {
        add_vm(number, name);
        clock.unix_ms += 1;
    }
    std::vector<std::string> all;
    for (const Vm& vm : inventory.list<Vm>()) all.push_back(vm.name);
    EXPECT_THAT(all, testing::ElementsAre("b", "a", "B"));
    EXPECT_EQ(inventory.list<Vm>({{"name", "b"}}).size(), 1u);
    EXPECT_EQ(inventory.list<Vm>({{"name", "b"}, {"cpuNum", 2}}).size(), 0u);
    EXPECT_EQ(inventory.list<Vm>({{"state", "Stopped"}}).size(), 3u);
    EXPECT_EQ(inventory.list<Vm>({{"hostUuid", ""}}).size(), 3u);
    EXPECT_EQ(inventory.list<Vm>({{"hostUuid", nullptr}, {"should_run", 0}}).size(), 3u);
    EXPECT_EQ(inventory.count<Vm>({{"name", "a"}}), 1);
    EXPECT_EQ(thrown_error([&] { inventory.list<Vm>({{"nam", "b"}}); }).code(), Code::internal);
}

TEST_F(Records, OneAddressOfANetworkIsGivenOnce) {
    UsedIp ip = sample<UsedIp>();
    inventory.insert(ip);
    ip.uuid = UsedIpId("other");
    EXPECT_EQ(thrown_error([&] { inventory.insert(ip); }).code(), Code::operation_failed);
    ip.l3_network = L3NetworkId("elsewhere");
    EXPECT_NO_THROW(inventory.insert(ip));
}

TEST_F(Records, ATransactionKeepsAllOrNothing) {
    EXPECT_THROW(inventory.transaction([&] {
        add_vm(1, "web-1");
        inventory.modify<Vm>(VmId(uuid(1)), [](Vm& vm) { vm.name = "web-2"; });
        EXPECT_EQ(inventory.get<Vm>(VmId(uuid(1))).name, "web-2");
        throw std::runtime_error("no");
    }),
                 std::runtime_error);
    EXPECT_FALSE(inventory.find<Vm>(VmId(uuid(1))));
}

// The state in SQL is the state in C++, for every combination of what it is made from.
TEST_F(Records, TheStateOfAVmIsTheSameInTheStore) {
    int number = 1;
    for (const auto& [observed, observed_name] : EnumNames<VmState>::names)
        for (const auto& [intent, intent_name] : EnumNames<VmIntent>::names)
            for (const std::optional<VmState> transition : {std::optional<VmState>(), std::optional(VmState::starting)}) {
                Vm vm;
                vm.uuid = VmId(uuid(number++));
                vm.observed = observed;
                vm.intent = intent;
                vm.transition = transition;
                inventory.insert(vm);
                EXPECT_EQ(inventory.vm_state(vm.uuid), vm.state()) << observed_name << " " << intent_name;
                EXPECT_EQ(inventory.view("VmInstance", vm.uuid.str())["state"], to_text(vm.state()));
            }
    EXPECT_EQ(inventory.vm_state(VmId("nobody")), std::nullopt);
}

TEST_F(Records, ExistenceIsAskedByResource) {
    add_vm(1, "web-1");
    EXPECT_TRUE(inventory.exists("VmInstance", uuid(1)));
    EXPECT_FALSE(inventory.exists("VmInstance", uuid(2)));
    EXPECT_FALSE(inventory.exists("Volume", uuid(1)));
    const Tag tag = inventory.add_tag("VmInstance", uuid(1), "mine", "User");
    EXPECT_TRUE(inventory.exists("Tag", tag.uuid.str()));
    EXPECT_TRUE(inventory.exists("UserTag", tag.uuid.str()));
    EXPECT_FALSE(inventory.exists("SystemTag", tag.uuid.str()));
    EXPECT_EQ(thrown_error([&] { inventory.exists("Spaceship", uuid(1)); }).code(), Code::internal);
}

}  // namespace
}  // namespace hvagent::inventory
