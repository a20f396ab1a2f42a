// Disks in the XML of domains: read from what libvirt shows, written for what is plugged in later.
#include "drivers/libvirt/domain_xml/domain_disks.h"

#include <gmock/gmock.h>

#include "tests/fakes/thrown_error.h"
#include "tests/unit/libvirt_xml/specs.h"

namespace hvagent::testing {
namespace {

using libvirt::domain_disks;
using libvirt::DomainDisks;
using libvirt::HostProfile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* live_xml =
    R"(<domain type='qemu' id='7'><os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os><devices>
<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none' io='native'/>
  <source file='/v/top.qcow2' index='4'/>
  <backingStore type='file' index='3'><format type='qcow2'/><source file='/v/mid.qcow2'/>
    <backingStore type='file' index='1'><format type='raw'/><source file='/v/base.raw'/><backingStore/></backingStore></backingStore>
  <mirror type='file' job='copy' ready='yes'><format type='qcow2'/><source file='/v/copy' index='9'/></mirror>
  <target dev='vda' bus='virtio'/><iotune><total_bytes_sec>1000</total_bytes_sec><write_iops_sec>7</write_iops_sec></iotune>
  <serial>d0000000000040008000000000000001</serial><alias name='virtio-disk0'/></disk>
<disk type='file' device='disk'><source file='/v/foreign'/><target dev='vdb' bus='virtio'/></disk>
<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='/i/a.iso' index='2'/><backingStore/>
  <target dev='sdy' bus='sata' tray='open'/><readonly/><boot order='2'/><alias name='sata0-0-4'/>
  <address type='drive' controller='0' bus='0' target='0' unit='4'/></disk>
<disk type='file' device='cdrom'><target dev='sdz' bus='sata'/><readonly/></disk>
</devices></domain>)";

int layer_index(const DomainDisks& disks, std::size_t layer) {
    return disks.disks.at(0).layers.at(layer).index;
}

TEST(DomainDisks, AreReadWithTheirLayersLimitsAndMirrors) {
    const DomainDisks disks = domain_disks(live_xml);
    ASSERT_EQ(disks.disks.size(), 2u);
    const auto& disk = disks.disks[0];
    EXPECT_EQ(disk.volume, VolumeId("d0000000000040008000000000000001"));
    EXPECT_THAT(disk.chain(), ElementsAre("/v/top.qcow2", "/v/mid.qcow2", "/v/base.raw"));
    EXPECT_EQ(layer_index(disks, 0), 4);
    EXPECT_EQ(layer_index(disks, 1), 3);
    EXPECT_EQ(layer_index(disks, 2), 1);
    EXPECT_EQ(disk.format, "qcow2");
    EXPECT_EQ(disk.alias, "virtio-disk0");
    EXPECT_EQ(disk.throttle.total_bandwidth, 1000);
    EXPECT_EQ(disk.throttle.write_iops, 7);
    EXPECT_EQ(disk.mirror_job, "copy");
    EXPECT_TRUE(disk.mirror_ready);
    EXPECT_TRUE(disks.disks[1].volume.empty()) << "not ours";
    EXPECT_FALSE(disks.disks[1].mirror_ready);
    EXPECT_THAT(disks.targets, ElementsAre("vda", "vdb", "sdy", "sdz"));
    EXPECT_EQ(disks.find_cdrom(1)->iso_path, "/i/a.iso");
    EXPECT_EQ(disks.find_cdrom(0)->iso_path, "");
    EXPECT_EQ(disks.find_cdrom(2), nullptr);
    EXPECT_EQ(thrown_error([] { domain_disks("<domain"); }).code(), Code::internal);
}

TEST(DomainDisks, AreTheOnesThatWereWritten) {
    VmSpec spec = typical_specs("/vols", "net")[0].spec;
    spec.disks[1].device_id = 4;
    spec.disks[1].throttle = {0, 10, 20, 0, 30, 40};
    spec.cdroms[0].iso_path = "/iso/a.iso";
    const DomainDisks disks = domain_disks(domain_xml(spec, HostProfile{}));
    ASSERT_EQ(disks.disks.size(), 2u);
    EXPECT_EQ(disks.disks[1].target, "vde");
    EXPECT_EQ(disks.disks[1].volume, spec.disks[1].volume);
    EXPECT_EQ(disks.disks[1].throttle, spec.disks[1].throttle);
    EXPECT_EQ(disks.find_cdrom(0)->iso_path, "/iso/a.iso");
}

TEST(DomainDisks, HaveNamesThatNoCdDriveHas) {
    std::set<std::string> names;
    for (int id = 0; id < 60; ++id) {
        const std::string name = libvirt::xml::disk_name(DiskBus::scsi, id);
        EXPECT_EQ(name, libvirt::xml::disk_name(DiskBus::sata, id)) << "a device id is one disk, whatever its bus";
        EXPECT_FALSE(libvirt::xml::cdrom_id(name)) << name;
        EXPECT_TRUE(names.insert(name).second) << name;
    }
    EXPECT_EQ(libvirt::xml::cdrom_id("sdz"), 0);
    EXPECT_EQ(libvirt::xml::cdrom_id("sdv"), 4);
    EXPECT_EQ(libvirt::xml::cdrom_id("hdd"), 0);
    EXPECT_EQ(libvirt::xml::cdrom_id("hda"), std::nullopt);
}

TEST(DomainDisks, OfSataLeaveTheCdDrivesTheirPlaces) {
    VmSpec spec = typical_specs("/vols", "net")[0].spec;
    spec.disks = {disk(0, DiskBus::sata, "/vols"), disk(1, DiskBus::sata, "/vols"), disk(7, DiskBus::sata, "/vols")};
    const std::string xml = domain_xml(spec, HostProfile{});
    for (const char* place :
         {R"(controller="0" bus="0" target="0" unit="0")", R"(controller="1" bus="0" target="0" unit="0")",
          R"(controller="2" bus="0" target="0" unit="0")"})
        EXPECT_THAT(xml, HasSubstr(place));
}

TEST(NewDisks, AreWrittenAsAtTheStartOfTheVm) {
    VmSpec spec = typical_specs("/vols", "net")[0].spec;
    spec.disks.push_back(disk(2, DiskBus::virtio, "/vols"));
    spec.disks[2].throttle.total_iops = 5;
    const std::string at_start = domain_xml(spec, HostProfile{});
    const std::string plugged = new_disk_element(spec.disks[2], DomainDisks{}, HostProfile{});
    for (const char* part : {R"(<driver name="qemu" type="qcow2" cache="none" io="native")", R"(discard="unmap")",
                             R"(<target dev="vdc" bus="virtio")", "<total_iops_sec>5</total_iops_sec>"}) {
        EXPECT_THAT(at_start, HasSubstr(part));
        EXPECT_THAT(plugged, HasSubstr(part));
    }
}

TEST(NewDisks, TakeTheNextNameWhenAnEarlierVersionCountedOtherwise) {
    DomainDisks present = domain_disks(live_xml);
    DiskSpec second = disk(1, DiskBus::virtio, "/vols");
    EXPECT_THAT(new_disk_element(second, present, HostProfile{}), HasSubstr(R"(dev="vdc")"));
    DiskSpec ide = disk(1, DiskBus::ide, "/vols");
    EXPECT_THAT(new_disk_element(ide, present, HostProfile{}), HasSubstr(R"(bus="sata")")) << "q35 has no IDE";
    ide.device_id = 4;
    present.machine = "pc-i440fx-7.2";
    EXPECT_EQ(thrown_error([&] { new_disk_element(ide, present, HostProfile{}); }).code(), Code::invalid_argument);
    second.path = "json:{}";
    EXPECT_EQ(thrown_error([&] { new_disk_element(second, present, HostProfile{}); }).code(), Code::invalid_argument);
}

TEST(NewDisks, UseThreadsWhenTheKernelsContextsRunOut) {
    HostProfile host;
    host.has_native_io = [] { return false; };
    const std::string xml = new_disk_element(disk(0, DiskBus::virtio, "/vols"), DomainDisks{}, host);
    EXPECT_THAT(xml, HasSubstr(R"(cache="none" io="threads")"));
    host.allows_direct_io = [](const std::string&) { return false; };
    EXPECT_THAT(new_disk_element(disk(0, DiskBus::virtio, "/vols"), DomainDisks{}, host), Not(HasSubstr("io=")));
}

TEST(CdRomElement, KeepsTheDriveAndChangesTheMedium) {
    const std::string other = libvirt::cdrom_element(live_xml, "sdy", "/i/<b>.iso");
    EXPECT_THAT(other, HasSubstr(R"(<source file="/i/&lt;b>.iso)"));
    EXPECT_THAT(other, HasSubstr(R"(<boot order="2")"));
    EXPECT_THAT(other, HasSubstr(R"(unit="4")"));
    for (const char* old : {"a.iso", "tray", "backingStore", "index"}) EXPECT_THAT(other, Not(HasSubstr(old)));
    EXPECT_THAT(libvirt::cdrom_element(live_xml, "sdy", ""), Not(HasSubstr("source")));
    EXPECT_EQ(thrown_error([] { libvirt::cdrom_element(live_xml, "sdx", ""); }).code(), Code::not_found);
    EXPECT_EQ(thrown_error([] { libvirt::cdrom_element(live_xml, "sdy", "/i/\n"); }).code(), Code::invalid_argument);
}

}  // namespace
}  // namespace hvagent::testing
