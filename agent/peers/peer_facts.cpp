#include "agent/peers/peer_facts.h"

#include <fstream>

#include "agent/inventory/observe_change.h"
#include "hvagent/error.h"

namespace hvagent::peers {
namespace {

// How exactly the time of the last answer is kept: each heartbeat would be a write of its own.
constexpr seconds noted_every{60};

}  // namespace

json to_json(const PeerFacts& facts) {
    const Host& host = facts.host;
    return {{"hostUuid", host.uuid.str()},
            {"name", host.name},
            {"state", host.state},
            {"status", std::string(to_text(host.status))},
            {"cpuNum", host.cpu_num},
            {"cpuSockets", host.cpu_sockets},
            {"totalCpuCapacity", host.total_cpu},
            {"availableCpuCapacity", host.available_cpu},
            {"totalMemoryCapacity", host.total_memory},
            {"availableMemoryCapacity", host.available_memory},
            {"architecture", host.architecture},
            {"osDistribution", host.os_distribution},
            {"osRelease", host.os_release},
            {"osVersion", host.os_version},
            {"bootId", facts.boot_id},
            {"agentVersion", facts.agent_version},
            {"libvirtVersion", facts.libvirt_version},
            {"qemuVersion", facts.qemu_version},
            {"sentAt", to_unix_ms(facts.sent_at)}};
}

PeerFacts parse_facts(const json& answer, const HostId& expected) {
    PeerFacts facts;
    Host& host = facts.host;
    try {
        host.uuid = HostId(answer.at("hostUuid").get<std::string>());
        host.name = answer.at("name");
        host.state = answer.at("state");
        host.status =
            parse_enum<ConnectionStatus>(answer.at("status").get<std::string>()).value_or(ConnectionStatus::disconnected);
        host.cpu_num = answer.at("cpuNum");
        host.cpu_sockets = answer.at("cpuSockets");
        host.total_cpu = answer.at("totalCpuCapacity");
        host.available_cpu = answer.at("availableCpuCapacity");
        host.total_memory = answer.at("totalMemoryCapacity");
        host.available_memory = answer.at("availableMemoryCapacity");
        host.architecture = answer.at("architecture");
        host.os_distribution = answer.at("osDistribution");
        host.os_release = answer.at("osRelease");
        host.os_version = answer.at("osVersion");
        facts.boot_id = answer.at("bootId");
        facts.agent_version = answer.at("agentVersion");
        facts.libvirt_version = answer.at("libvirtVersion");
        facts.qemu_version = answer.at("qemuVersion");
        facts.sent_at = from_unix_ms(answer.at("sentAt").get<std::int64_t>());
    } catch (const json::exception& error) {
        throw Error(Code::host_connection, std::string("the other agent's facts cannot be read: ") + error.what());
    }
    if (!is_uuid(host.uuid.str())) throw Error(Code::host_connection, "the other agent's facts name no host");
    if (!expected.empty() && host.uuid != expected)
        throw Error(Code::host_connection,
                    "the agent that answers is of the host " + host.uuid.str() + ", not of " + expected.str());
    return facts;
}

std::string kernel_boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return without_dashes(id);
}

void write_facts(inventory::Inventory& inventory, const PeerFacts& facts, Time now) {
    const Host& seen = facts.host;
    inventory::observe_change<Host>(inventory, seen.uuid, [&](Host& host) {
        host.state = seen.state;
        host.status = facts.hypervisor_answers() ? ConnectionStatus::connected : ConnectionStatus::disconnected;
        host.architecture = seen.architecture;
        host.os_distribution = seen.os_distribution;
        host.os_release = seen.os_release;
        host.os_version = seen.os_version;
        host.cpu_num = seen.cpu_num;
        host.cpu_sockets = seen.cpu_sockets;
        host.total_cpu = seen.total_cpu;
        host.available_cpu = seen.available_cpu;
        host.total_memory = seen.total_memory;
        host.available_memory = seen.available_memory;
    });
    inventory::observe_change<Peer>(inventory, seen.uuid, [&](Peer& peer) {
        peer.boot_id = facts.boot_id;
        peer.agent_version = facts.agent_version;
        peer.libvirt_version = facts.libvirt_version;
        peer.qemu_version = facts.qemu_version;
        peer.failure = facts.hypervisor_answers() ? "" : "its agent answers, but its libvirt does not";
        if (now - peer.answered_at >= noted_every) peer.answered_at = now;
    });
}

void write_failure(inventory::Inventory& inventory, const HostId& peer, const std::string& why) {
    inventory::observe_change<Host>(inventory, peer, [](Host& host) { host.status = ConnectionStatus::disconnected; });
    inventory::observe_change<Peer>(inventory, peer, [&](Peer& record) { record.failure = why; });
}

}  // namespace hvagent::peers
