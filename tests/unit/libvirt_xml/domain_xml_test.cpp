// The XML of typical VMs against golden files, and what never becomes XML.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/fakes/thrown_error.h"
#include "tests/unit/libvirt_xml/specs.h"

namespace hvagent::testing {
namespace {

using libvirt::domain_xml;
using libvirt::HostProfile;

std::string xml_with(const std::function<void(VmSpec&)>& change, HostProfile host = {}) {
    VmSpec spec = typical_specs("/vols", "hvagent")[0].spec;
    change(spec);
    return domain_xml(spec, host);
}

Error refusal_of(const std::function<void(VmSpec&)>& change) {
    return thrown_error([&] { xml_with(change); });
}

int count(const std::string& text, const std::string& part) {
    int found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

class GoldenDomainXml : public ::testing::TestWithParam<NamedSpec> {};
INSTANTIATE_TEST_SUITE_P(Specs, GoldenDomainXml, ::testing::ValuesIn(typical_specs("/vols", "hvagent")),
                         [](const auto& named) { return named.param.name; });

// HVAGENT_UPDATE_GOLDEN=1 rewrites the files; read the diff before committing it.
TEST_P(GoldenDomainXml, IsAsWrittenDown) {
    const std::string path = std::string(HVAGENT_GOLDEN_DIR) + "/" + GetParam().name + ".xml";
    const std::string xml = domain_xml(GetParam().spec, GetParam().host);
    if (std::getenv("HVAGENT_UPDATE_GOLDEN")) std::ofstream(path) << xml;
    std::ifstream file(path);
    const std::string golden((std::istreambuf_iterator<char>(file)), {});
    EXPECT_EQ(xml, golden) << path;
}

TEST(DomainXml, CarriesTheOwnersMark) {
    const std::string xml = xml_with([](VmSpec& spec) { spec.host_uuid = "0123"; });
    EXPECT_NE(xml.find("<hvagent:vm xmlns:hvagent=\"https://hvagent.org/xmlns/vm/1\" host=\"0123\""), std::string::npos)
        << xml;
}

TEST(DomainXml, EscapesWhatClientsWrite) {
    const std::string xml = xml_with([](VmSpec& spec) { spec.title = "</title><on_crash>preserve</on_crash>&amp;"; });
    EXPECT_EQ(count(xml, "<on_crash>"), 1);
    EXPECT_NE(xml.find("&lt;/title&gt;"), std::string::npos);
    EXPECT_NE(xml.find("&amp;amp;"), std::string::npos);
}

TEST(DomainXml, KeepsControlCharactersAndBrokenUtf8OutOfTexts) {
    const std::string xml = xml_with([](VmSpec& spec) {
        spec.title = std::string("a\0b\x01\nc\xff\xed\xa0\x80\xef\xbf\xbf", 14) + "\xe4\xb8\xad\xf0\x9f\x98\x80";
    });
    EXPECT_NE(xml.find("<title>a?b? c?????"), std::string::npos) << xml;
    EXPECT_NE(xml.find("\xe4\xb8\xad\xf0\x9f\x98\x80</title>"), std::string::npos);
    for (char c : xml) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
}

TEST(DomainXml, RefusesControlCharactersInNamesForTheHost) {
    EXPECT_EQ(refusal_of([](VmSpec& spec) { spec.disks[0].path = "/vols/a\nb"; }).code(), Code::invalid_argument);
    EXPECT_EQ(refusal_of([](VmSpec& spec) { spec.nics[0].network = "a\x01"; }).code(), Code::invalid_argument);
    EXPECT_EQ(refusal_of([](VmSpec& spec) { spec.serial_log = "/log/\x02"; }).code(), Code::invalid_argument);
    EXPECT_EQ(refusal_of([](VmSpec& spec) { spec.machine = "q35\x02"; }).code(), Code::invalid_argument);
}

TEST(DomainXml, RefusesWhatLibvirtWouldMisread) {
    EXPECT_EQ(refusal_of([](VmSpec& spec) { spec.vm = VmId("not-a-uuid"); }).code(), Code::invalid_argument);
    EXPECT_EQ(refusal_of([](VmSpec& spec) { spec.cpus = 0; }).code(), Code::invalid_argument);
    EXPECT_EQ(refusal_of([](VmSpec& spec) { spec.memory = 1000; }).code(), Code::invalid_argument);
    EXPECT_EQ(refusal_of([](VmSpec& spec) { spec.disks[0].path = "json:{}"; }).code(), Code::invalid_argument);
    EXPECT_EQ(refusal_of([](VmSpec& spec) { spec.nics[0].target_name = "sixteen.letters."; }).code(),
              Code::invalid_argument);
    EXPECT_EQ(refusal_of([](VmSpec& spec) { spec.nics[0].network.clear(); }).code(), Code::invalid_argument);
    EXPECT_EQ(refusal_of([](VmSpec& spec) { spec.nics[0].bridge = "br0"; }).code(), Code::invalid_argument);
    EXPECT_EQ(refusal_of([](VmSpec& spec) { spec.console_password = "longer than eight"; }).code(), Code::invalid_argument);
    EXPECT_EQ(refusal_of([](VmSpec& spec) { spec.monitors = 0; }).code(), Code::invalid_argument);
    EXPECT_EQ(refusal_of([](VmSpec& spec) { spec.usb_redirect = true; }).code(), Code::invalid_argument);
    EXPECT_EQ(refusal_of([](VmSpec& spec) { spec.cdroms[0].device_id = 9; }).code(), Code::invalid_argument);
}

TEST(DomainXml, NeverShowsThePasswordInAnError) {
    const Error error = refusal_of([](VmSpec& spec) { spec.console_password = "longer than eight"; });
    EXPECT_EQ(error.details().find("longer"), std::string::npos) << error.details();
}

TEST(DomainXml, OffersSpiceOnlyWhereQemuHasIt) {
    const auto spice = [](VmSpec& spec) {
        spec.console = ConsoleMode::vnc_and_spice;
        spec.usb_redirect = true;
    };
    EXPECT_EQ(refusal_of(spice).code(), Code::no_capability);
    HostProfile host;
    host.has_spice = true;
    std::string xml = xml_with(spice, host);
    EXPECT_EQ(count(xml, "<graphics "), 2);
    EXPECT_EQ(count(xml, "<redirdev "), 4);
    EXPECT_EQ(count(xml, "com.redhat.spice.0"), 1);
    EXPECT_EQ(count(xml, "type=\"qxl\""), 0);
    host.has_qxl = true;
    EXPECT_EQ(count(xml_with(spice, host), "type=\"qxl\""), 1);
}

TEST(DomainXml, ListensOnLoopbackOnly) {
    EXPECT_EQ(count(xml_with([](VmSpec&) {}), "listen=\"127.0.0.1\""), 1);
}

TEST(DomainXml, GivesEachBootDeviceItsPlaceInTheOrder) {
    const std::string xml = xml_with([](VmSpec& spec) {
        spec.boot_order = {BootDevice::network, BootDevice::cdrom, BootDevice::hard_disk};
        spec.cdroms.push_back(CdRomSpec{CdRomId(), 1, ""});
    });
    // NIC 1, CDs 2 and 3, the root disk 4; the data disk is not booted from.
    EXPECT_EQ(count(xml, "<boot "), 4);
    const auto order_of = [&](const std::string& anchor) {
        const std::size_t at = xml.find("<boot order=\"", xml.find(anchor));
        return xml.substr(at + 13, 1);
    };
    EXPECT_EQ(order_of("<interface"), "1");
    EXPECT_EQ(order_of("dev=\"sdz\""), "2");
    EXPECT_EQ(order_of("dev=\"sdy\""), "3");
    EXPECT_EQ(order_of("dev=\"vda\""), "4");
}

TEST(DomainXml, BootsFromTheRootDiskWhateverTheOrderOfTheList) {
    const std::string xml = xml_with([](VmSpec& spec) { std::swap(spec.disks[0], spec.disks[1]); });
    const std::size_t root = xml.find(numbered_uuid('d', 0));
    EXPECT_LT(root, xml.find("dev=\"vda\""));
    EXPECT_LT(xml.find("dev=\"vda\""), xml.find(numbered_uuid('d', 1)));
}

TEST(DomainXml, KeepsSparePortsForWhatIsPluggedInLater) {
    HostProfile host;
    host.spare_pcie_ports = 0;
    const int used = count(xml_with([](VmSpec&) {}, host), "pcie-root-port");
    host.spare_pcie_ports = 8;
    EXPECT_EQ(count(xml_with([](VmSpec&) {}, host), "pcie-root-port"), used + 8);
    EXPECT_EQ(count(xml_with([](VmSpec& spec) { spec.machine = "pc"; }, host), "pcie-root-port"), 0);
}

TEST(DomainXml, NamesManyDisks) {
    const std::string xml = xml_with([](VmSpec& spec) {
        spec.disks.clear();
        for (int i = 0; i < 28; ++i) {
            spec.disks.push_back(disk(i % 10, DiskBus::virtio, "/vols"));
            spec.disks.back().device_id = i;
        }
    });
    for (const char* name : {"\"vda\"", "\"vdz\"", "\"vdaa\"", "\"vdab\""})
        EXPECT_EQ(count(xml, std::string("dev=") + name), 1) << name;
}

}  // namespace
}  // namespace hvagent::testing
