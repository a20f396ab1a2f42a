// Thousands of domains of libvirt's test driver, four in five running, and an agent whose inventory owns them.
#include <sqlite3.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "tests/bench/own_daemon.h"
#include "tests/bench/parts.h"

namespace hvagent::bench {
namespace {

constexpr int running = 1, shut_off = 5;  // virDomainState, as <test:runstate> wants it

template <class... Values>
std::string format(const char* text, Values... values) {
    char buffer[2048];
    std::snprintf(buffer, sizeof buffer, text, values...);
    return buffer;
}

std::string uuid_of(int number) {
    return format("b0000000000040008000%012x", static_cast<unsigned>(number));
}

void write_node(const std::string& path, int domains) {
    std::ofstream file(path);
    file << "<node "
            "xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><cpu><mhz>2600</mhz><model>x86_64</model><active>64</"
            "active>"
            "<nodes>2</nodes><sockets>2</sockets><cores>16</cores></cpu><memory>536870912</memory>"
            "<network><name>default</name><bridge name='virbr0'/><ip address='10.0.0.1' netmask='255.255.0.0'/></network>";
    for (int i = 0; i < domains; ++i)
        file << format(
            "<domain type='test'><name>%s</name><uuid>b0000000-0000-4000-8000-%012x</uuid><title>vm-%d</title><metadata>"
            "<hvagent:vm xmlns:hvagent='https://hvagent.org/xmlns/vm/1' "
            "host='bench'/></metadata><memory>131072</memory><vcpu>1</vcpu>"
            "<os><type>hvm</type></os><devices><disk type='file'><source file='/pool/%d.qcow2'/><target dev='vda' "
            "bus='virtio'/></disk>"
            "<interface type='network'><mac address='fa:00:00:%02x:%02x:%02x'/><source "
            "network='default'/></interface></devices>"
            "<test:runstate>%d</test:runstate></domain>",
            uuid_of(i).c_str(), static_cast<unsigned>(i), i, i, i >> 16 & 255, i >> 8 & 255, i & 255,
            i % 5 == 4 ? shut_off : running);
    file << "</node>\n";
    if (!file.flush()) throw std::runtime_error(path + " cannot be written");
}

// A VM with a root volume and a NIC each, as CreateVmInstance leaves them.
void fill_store(const std::string& path, int domains) {
    sqlite3* raw = nullptr;
    const int opened = sqlite3_open(path.c_str(), &raw);
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> database(raw, sqlite3_close);
    const std::string numbers =
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < " + std::to_string(domains) + ") ";
    const std::string vm = "printf('b0000000000040008000%012x', i)", volume = "printf('c0000000000040008000%012x', i)",
                      nic = "printf('d0000000000040008000%012x', i)";
    const std::string statements =
        "BEGIN;" + numbers +
        "INSERT INTO vm (uuid, name, zoneUuid, clusterUuid, lastHostUuid, rootVolumeUuid, memorySize, cpuNum, createDate, "
        "lastOpDate) SELECT " +
        vm + ", 'vm-' || i, (SELECT uuid FROM zone), (SELECT uuid FROM cluster), (SELECT uuid FROM host), " + volume +
        ", 134217728, 1, 1700000000000, 1700000000000 FROM n;" + numbers +
        "INSERT INTO volume (uuid, name, primaryStorageUuid, vmInstanceUuid, installPath, type, format, size, deviceId, "
        "createDate, lastOpDate) SELECT " +
        volume + ", 'ROOT-' || i, (SELECT uuid FROM primary_storage), " + vm +
        ", '/pool/' || i || '.qcow2', 'Root', 'qcow2', 1073741824, 0, 1700000000000, 1700000000000 FROM n;" + numbers +
        "INSERT INTO vm_nic (uuid, vmInstanceUuid, ip, netmask, gateway, mac, internalName, createDate, lastOpDate) "
        "SELECT " +
        nic + ", " + vm +
        ", printf('10.0.%d.%d', i / 250, i % 250 + 2), '255.255.0.0', '10.0.0.1', printf('fa:00:00:%02x:%02x:%02x', i >> "
        "16, i >> 8 & 255, i & 255),"
        " printf('vnic%d.0', i), 1700000000000, 1700000000000 FROM n; COMMIT;";
    char* message = nullptr;
    if (opened != SQLITE_OK || sqlite3_exec(raw, statements.c_str(), nullptr, nullptr, &message) != SQLITE_OK)
        throw std::runtime_error("the store cannot be filled: " + std::string(message ? message : sqlite3_errmsg(raw)));
}

}  // namespace

json measure_scale(const std::string& hvagentd, const std::string& directory, int domains, const Sizes& sizes) {
    say(std::to_string(domains) + " domains of the test driver");
    OwnDaemon daemon(hvagentd, directory, "test://" + directory + "/node.xml", 18081);
    write_node(directory + "/node.xml", domains);
    daemon.start();  // makes the store
    daemon.stop();
    fill_store(daemon.database(), domains);
    const double ready = daemon.start();
    Rest rest(daemon.url(), OwnDaemon::password);
    const int seen = rest.get("/vm-instances?count=true&q=state=Running").at("total").get<int>();
    if (seen != domains - domains / 5)
        throw std::runtime_error("of " + std::to_string(domains) + " domains " + std::to_string(seen) +
                                 " are Running in the inventory");
    json figures = measure_lists(rest, "test://" + directory + "/node.xml", uuid_of(domains / 2), sizes.scale_rounds);
    figures["ready_ms"] = ready;
    return figures;
}

}  // namespace hvagent::bench
