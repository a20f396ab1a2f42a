#include "drivers/libvirt/domain_xml/moved_definition.h"

#include <gmock/gmock.h>

#include "drivers/libvirt/migration/move_call.h"
#include "hvagent/error.h"

namespace hvagent::libvirt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* running = R"(<domain type='kvm'>
  <metadata><hvagent:vm xmlns:hvagent="https://hvagent.org/xmlns/vm/1" host="first"/></metadata>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  <cpu mode='host-passthrough' check='none' migratable='on'/>
  <devices>
    <disk type='file' device='disk'>
      <source file='/a/active.qcow2'/>
      <backingStore type='file'><format type='qcow2'/><source file='/a/base.qcow2'/><backingStore/></backingStore>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'><source file='/a/dvd.iso'/><target dev='sdv' bus='sata'/></disk>
    <interface type='network'>
      <mac address='fa:00:00:00:00:01'/><source network='one' portid='x' bridge='br7'/><target dev='vnic1.0'/><model type='virtio'/>
    </interface>
    <interface type='bridge'>
      <mac address='fa:00:00:00:00:02'/><source bridge='br1'/><target dev='vnic1.1'/><model type='e1000'/>
    </interface>
    <serial type='pty'><log file='/a/vm.log' append='on'/><target port='0'/></serial>
    <console type='pty'><log file='/a/vm.log' append='on'/><target type='serial' port='0'/></console>
  </devices>
</domain>)";

TEST(MovedDefinition, FilesAreAtTheirNewPlaces) {
    MigrationPlaces places;
    places.paths = {{"/a/active.qcow2", "/b/1"}, {"/a/base.qcow2", "/b/2"}, {"/a/vm.log", "/b/log"}};
    const std::string moved = moved_definition(running, places);
    for (const char* text : {"file=\"/b/1\"", "file=\"/b/2\"", "file=\"/a/dvd.iso\"", "host=\"first\""})
        EXPECT_THAT(moved, HasSubstr(text));
    for (const char* text : {"/a/active.qcow2", "/a/base.qcow2", "/a/vm.log"}) EXPECT_THAT(moved, Not(HasSubstr(text)));
}

TEST(MovedDefinition, NicsAreOnTheirNewNetworks) {
    MigrationPlaces places;
    places.nics = {{"fa:00:00:00:00:01", "", "br9", "vnic4.0"}, {"fa:00:00:00:00:02", "two", "", ""}};
    const std::string moved = moved_definition(running, places);
    EXPECT_THAT(moved, HasSubstr("<interface type=\"bridge\"><mac address=\"fa:00:00:00:00:01\"/><source bridge=\"br9\"/>"
                                 "<target dev=\"vnic4.0\"/><model type=\"virtio\"/></interface>"));
    EXPECT_THAT(moved, HasSubstr("<interface type=\"network\"><mac address=\"fa:00:00:00:00:02\"/><source network=\"two\"/>"
                                 "<model type=\"e1000\"/></interface>"));
}

TEST(MovedDefinition, RefusesPlacesOfNicsThatAreNotThere) {
    MigrationPlaces places;
    places.nics = {{"fa:00:00:00:00:09", "one", "", ""}};
    EXPECT_THROW(moved_definition(running, places), Error);
    places.nics = {{"fa:00:00:00:00:01", "one", "br1", ""}};
    EXPECT_THROW(moved_definition(running, places), Error);
}

TEST(MovedDefinition, TheMarkNamesTheNewHost) {
    MigrationPlaces places;
    places.host_uuid = "second";
    EXPECT_THAT(moved_definition(running, places), HasSubstr("host=\"second\""));
    EXPECT_EQ(mark_element("a&b"), "<vm host=\"a&amp;b\"/>");
}

TEST(GuestNeeds, AreReadFromTheDefinition) {
    const GuestNeeds needs = guest_needs(running);
    EXPECT_EQ(needs.virt_type, "kvm");
    EXPECT_EQ(needs.architecture, "x86_64");
    EXPECT_EQ(needs.machine, "pc-q35-7.2");
    EXPECT_TRUE(is_host_cpu(needs.cpu));
    EXPECT_FALSE(is_host_cpu("<cpu mode='custom'><model>EPYC</model></cpu>"));
}

TEST(GuestNeeds, TheFileOfItsUefisVariablesIsRead) {
    const auto in = [](const std::string& nvram) { return guest_needs("<domain><os>" + nvram + "</os></domain>").nvram; };
    EXPECT_EQ(in("<nvram template='/t.fd'>/nvram/a_VARS.fd</nvram>"), "/nvram/a_VARS.fd");
    EXPECT_EQ(in("<nvram type='file'>\n  <source file='/nvram/b_VARS.fd'/>\n</nvram>"), "/nvram/b_VARS.fd");
    EXPECT_EQ(in("<nvram type='block'><source dev='/dev/x'/></nvram>"), "");
    EXPECT_EQ(in(""), "");
}

TEST(GuestNeeds, TheHostsModelStandsForItsCpu) {
    const std::string capabilities =
        "<domainCapabilities><cpu><mode name='host-passthrough' supported='yes'/><mode name='host-model' supported='yes'>"
        "<model fallback='forbid'>EPYC</model><vendor>AMD</vendor><feature policy='require' name='ss'/></mode></cpu>"
        "</domainCapabilities>";
    EXPECT_EQ(host_model(capabilities),
              "<cpu mode=\"custom\" match=\"exact\"><model fallback=\"forbid\">EPYC</model>"
              "<vendor>AMD</vendor><feature policy=\"require\" name=\"ss\"/></cpu>");
    EXPECT_EQ(host_model("<domainCapabilities><cpu><mode name='host-model' supported='no'/></cpu></domainCapabilities>"),
              "");
}

TEST(DevicesThatStay, AreNamed) {
    EXPECT_THAT(devices_that_stay(running), IsEmpty());
    const std::string devices =
        "<domain><devices><hostdev mode='subsystem' type='pci'><source><address domain='0x0' bus='0x3' slot='0x0' "
        "function='0x1'/></source></hostdev><filesystem type='mount'><target dir='share'/></filesystem>"
        "<disk><target dev='vdb'/><mirror job='copy'/></disk></devices></domain>";
    EXPECT_THAT(devices_that_stay(devices),
                ElementsAre(HasSubstr("pci domain 0x0 bus 0x3"), HasSubstr("share"), HasSubstr("vdb")));
}

TEST(MoveLimits, OneTotalIsSharedByAllStreams) {
    EXPECT_EQ(disk_limit(90 * MiB, 3), 30u);
    EXPECT_EQ(disk_limit(90 * MiB, 0), 90u);
    EXPECT_EQ(memory_limit(90 * MiB, 0), 90u);
    EXPECT_EQ(memory_limit(90 * MiB, 3), 45u) << "the mirrors of the disks go on";
    EXPECT_EQ(disk_limit(MiB, 3), 1u) << "0 would be no limit";
    EXPECT_EQ(disk_limit(0, 3), 0u);
}

}  // namespace
}  // namespace hvagent::libvirt
