#include "drivers/libvirt/migration/move_call.h"

#include <algorithm>

#include "drivers/libvirt/disk_lookup.h"
#include "drivers/libvirt/domain_xml/moved_definition.h"
#include "drivers/libvirt/typed_params.h"

namespace hvagent::libvirt {
namespace {

// libvirt's highest, which is its "no limit".
constexpr unsigned long long unlimited = INT64_MAX / MiB;

std::string xml_of(virDomainPtr domain, unsigned flags, const std::string& what) {
    return Text(checked(virDomainGetXMLDesc(domain, flags), what)).get();
}

std::vector<std::string> targets_of(virDomainPtr domain, const std::vector<VolumeId>& volumes, const std::string& what) {
    std::vector<std::string> targets;
    for (const VolumeId& volume : volumes) targets.push_back(live_disk(domain, volume, what).target);
    return targets;
}

unsigned flags_of(const MigrationWay& way) {
    unsigned flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE |
                     VIR_MIGRATE_ABORT_ON_ERROR;
    if (way.auto_converge) flags |= VIR_MIGRATE_AUTO_CONVERGE;
    if (way.post_copy) flags |= VIR_MIGRATE_POSTCOPY;
    if (way.compressed) flags |= VIR_MIGRATE_COMPRESSED;
    if (way.parallel_connections > 0) flags |= VIR_MIGRATE_PARALLEL;
    if (way.tls) flags |= VIR_MIGRATE_TLS;
    if (!way.copied.empty()) flags |= VIR_MIGRATE_NON_SHARED_INC;
    return flags;
}

// "10.0.0.2" of "qemu+tls://10.0.0.2:16514/system".
std::string host_in(const std::string& uri) {
    const std::size_t scheme = uri.find("://");
    if (scheme == std::string::npos) return {};
    std::string host = uri.substr(scheme + 3, uri.find('/', scheme + 3) - scheme - 3);
    if (const std::size_t user = host.find('@'); user != std::string::npos) host.erase(0, user + 1);
    if (!host.empty() && host.front() == '[') return host.substr(1, host.find(']') - 1);
    return host.substr(0, host.find(':'));
}

std::string bracketed(const std::string& address) {
    return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

void add_params(TypedParams& params, const PreparedMove& move) {
    const MigrationWay& way = move.way;
    if (!move.live_xml.empty()) params.add(VIR_MIGRATE_PARAM_DEST_XML, move.live_xml);
    if (!move.persistent_xml.empty()) params.add(VIR_MIGRATE_PARAM_PERSIST_XML, move.persistent_xml);
    if (!way.migrate_address.empty()) params.add(VIR_MIGRATE_PARAM_URI, "tcp://" + bracketed(way.migrate_address));
    for (const std::string& disk : move.copied_disks) params.add(VIR_MIGRATE_PARAM_MIGRATE_DISKS, disk);
    if (way.bandwidth > 0) {
        params.add(VIR_MIGRATE_PARAM_BANDWIDTH, disk_limit(way.bandwidth, way.copied.size()));
        if (way.post_copy) params.add(VIR_MIGRATE_PARAM_BANDWIDTH_POSTCOPY, memory_limit(way.bandwidth, way.copied.size()));
    }
    if (way.parallel_connections > 0) params.add(VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS, way.parallel_connections);
    // The stream goes to an address of its own; the certificate is that of the host.
    if (way.tls && !way.migrate_address.empty()) params.add(VIR_MIGRATE_PARAM_TLS_DESTINATION, host_in(way.destination_uri));
}

}  // namespace

unsigned long long disk_limit(Bytes total, std::size_t disks) {
    if (total <= 0) return 0;
    return static_cast<unsigned long long>(
        std::max<Bytes>(1, total / MiB / static_cast<Bytes>(std::max<std::size_t>(1, disks))));
}

unsigned long long memory_limit(Bytes total, std::size_t disks) {
    if (total <= 0) return 0;
    return static_cast<unsigned long long>(std::max<Bytes>(1, total / MiB / (disks == 0 ? 1 : 2)));
}

PreparedMove prepare_move(virDomainPtr domain, const MigrationWay& way, const std::string& what) {
    require_active(domain, what);
    PreparedMove move{way, targets_of(domain, way.copied, what), "", ""};
    if (!way.places.empty()) {
        const unsigned secure = VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_MIGRATABLE;
        move.live_xml = moved_definition(xml_of(domain, secure, what), way.places);
        move.persistent_xml =
            moved_definition(xml_of(domain, VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE, what), way.places);
    }
    // A limit that an earlier move set while it ran would hold for this one.
    if (way.bandwidth == 0) virDomainMigrateSetMaxSpeed(domain, unlimited, 0);
    checked(virDomainMigrateSetMaxDowntime(domain, static_cast<unsigned long long>(way.max_downtime.count()), 0), what);
    return move;
}

void call_move(virDomainPtr domain, const PreparedMove& move, const std::string& what) {
    TypedParams params;
    add_params(params, move);
    if (virDomainMigrateToURI3(domain, move.way.destination_uri.c_str(), params.get(), static_cast<unsigned>(params.count()),
                               flags_of(move.way)) == 0)
        return;
    const LibvirtError error = last_error(what);
    // libvirtd reports the loss of its peer with the same words as we see the loss of libvirtd.
    if (error.code() == Code::host_connection && virConnectIsAlive(virDomainGetConnect(domain)) == 1)
        throw LibvirtError(Code::operation_failed, error.details(), error.number());
    throw error;
}

void call_resumption(virDomainPtr domain, const MigrationWay& way, const std::string& what) {
#if LIBVIR_VERSION_NUMBER >= 8005000
    TypedParams params;
    if (!way.migrate_address.empty()) params.add(VIR_MIGRATE_PARAM_URI, "tcp://" + bracketed(way.migrate_address));
    if (way.tls && !way.migrate_address.empty()) params.add(VIR_MIGRATE_PARAM_TLS_DESTINATION, host_in(way.destination_uri));
    unsigned flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE |
                     VIR_MIGRATE_POSTCOPY | VIR_MIGRATE_POSTCOPY_RESUME;
    if (way.tls) flags |= VIR_MIGRATE_TLS;
    checked(virDomainMigrateToURI3(domain, way.destination_uri.c_str(), params.get(), static_cast<unsigned>(params.count()),
                                   flags),
            what);
#else
    (void)domain;
    (void)way;
    throw Error(Code::no_capability, what + ": libvirt before 8.5 cannot");
#endif
}

}  // namespace hvagent::libvirt
