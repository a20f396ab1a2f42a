// Moves between two hosts: the driver with its judge, beside `virsh migrate --live --p2p` for the same guest in the same
// rounds.
#include <filesystem>
#include <thread>

#include "agent/operations/migration/convergence.h"
#include "drivers/libvirt/libvirt_host.h"
#include "drivers/qemu_img/qemu_img.h"
#include "tests/bench/parts.h"
#include "tests/bench/program.h"
#include "tests/bench/samples.h"

namespace hvagent::bench {
namespace {

constexpr int patience_s = 30;  // for the plain move of a guest that never converges
constexpr Bytes busy_limit = 32 * MiB;
constexpr int busy_mib = 64;

struct Taken {
    Samples total, downtime;
    int moved = 0;
    int tried = 0;
    json to_json() const {
        return {{"total", total.to_json()}, {"downtime", downtime.to_json()}, {"moved", moved}, {"tried", tried}};
    }
};

// The guest, and where it is.
class Traveller {
public:
    Traveller(const MoveHosts& hosts, const std::string& image, int memory_mib) {
        for (const std::string& uri : {hosts.first, hosts.second}) {
            libvirt::LibvirtSettings settings;
            settings.uri = uri;
            settings.virt_type = "qemu";
            uris_.push_back(uri);
            hosts_.push_back(std::make_unique<libvirt::LibvirtHost>(settings, clock_, images_));
        }
        spec_.vm = VmId::make();
        spec_.memory = memory_mib * MiB;
        spec_.disks.resize(1);
        spec_.disks[0].volume = VolumeId::make();
        spec_.disks[0].path = hosts.shared + "/" + spec_.vm.str() + ".qcow2";
        const std::string& path = spec_.disks[0].path;
        run_program({"qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", image, path});
        std::filesystem::permissions(path, std::filesystem::perms(0666));
        host().definitions().define(spec_);
        host().power().start(spec_.vm, false);
        const Moment began = Clock::now();
        while (!host().power().has_guest_agent(spec_.vm)) {
            if (ms_since(began) > 120000) throw std::runtime_error("the guest does not come up");
            std::this_thread::sleep_for(milliseconds(100));
        }
    }
    ~Traveller() {
        for (auto& host : hosts_) {
            try {
                host->power().destroy(spec_.vm);
                host->definitions().undefine(spec_.vm);
            } catch (const Error&) {
                continue;  // the lab goes, and the guest with it
            }
        }
    }
    void dirty(int megabytes) {
        const json order = {{"execute", "guest-exec"},
                            {"arguments", {{"path", "/bin/lab"}, {"arg", {"dirty", std::to_string(megabytes)}}}}};
        run_program({"virsh", "-q", "-c", uris_[at_], "qemu-agent-command", spec_.vm.str(), order.dump()});
    }
    // Killed, virsh leaves the move to libvirt; attempt() ends it.
    void by_virsh(Bytes limit, Taken& taken) {
        std::vector<std::string> command{"timeout",
                                         "--signal=KILL",
                                         std::to_string(patience_s),
                                         "virsh",
                                         "-q",
                                         "-c",
                                         uris_[at_],
                                         "migrate",
                                         "--live",
                                         "--p2p",
                                         "--persistent",
                                         "--undefinesource",
                                         spec_.vm.str(),
                                         uris_[1 - at_]};
        if (limit > 0) command.insert(command.end(), {"--bandwidth", std::to_string(limit / MiB)});
        attempt(taken, [&] { run_program(command); });
    }
    void by_hvagent(Bytes limit, Taken& taken) {
        operations::MigrationOptions options;
        options.bandwidth = limit;
        options.tls = false;
        operations::Convergence judge(options);
        MigrationWay way;
        operations::apply(options, way);
        way.destination_uri = uris_[1 - at_];
        Cancellation never;
        attempt(taken, [&] { host().migration().migrate(spec_.vm, way, judge, never); });
    }

private:
    libvirt::LibvirtHost& host() { return *hosts_[at_]; }
    template <class Work>
    void attempt(Taken& taken, Work work) {
        ++taken.tried;
        try {
            const double ms = timed(work);
            at_ = 1 - at_;
            ++taken.moved;
            taken.total.add(ms);
            taken.downtime.add(downtime());
        } catch (const std::exception& failure) {
            say(std::string("a move failed: ") + failure.what());
            host().migration().abort(spec_.vm);
        }
    }
    // As the destination's libvirt counted it.
    double downtime() {
        const std::unique_ptr<virConnect, decltype(&virConnectClose)> connection(virConnectOpen(uris_[at_].c_str()),
                                                                                 virConnectClose);
        const std::unique_ptr<virDomain, decltype(&virDomainFree)> domain(
            connection ? virDomainLookupByName(connection.get(), spec_.vm.str().c_str()) : nullptr, virDomainFree);
        int type = 0;
        int count = 0;
        virTypedParameterPtr params = nullptr;
        if (!domain || virDomainGetJobStats(domain.get(), &type, &params, &count, VIR_DOMAIN_JOB_STATS_COMPLETED) < 0)
            throw std::runtime_error("no figures of the move");
        unsigned long long ms = 0;
        virTypedParamsGetULLong(params, count, VIR_DOMAIN_JOB_DOWNTIME, &ms);
        virTypedParamsFree(params, count);
        return static_cast<double>(ms);
    }

    SystemClock clock_;
    QemuImg images_{QemuImgSettings{}};
    std::vector<std::string> uris_;
    std::vector<std::unique_ptr<libvirt::LibvirtHost>> hosts_;
    std::size_t at_ = 0;
    VmSpec spec_;
};

json compare(Traveller& guest, Bytes limit, int rounds) {
    Taken plain, ours;
    for (int round = 0; round < rounds; ++round) {
        guest.by_virsh(limit, plain);
        guest.by_hvagent(limit, ours);
    }
    json figures = {{"virsh", plain.to_json()}, {"hvagent", ours.to_json()}};
    if (plain.moved > 0 && ours.moved > 0) {
        figures["ratio_total"] = ours.total.percentile(0.5) / plain.total.percentile(0.5);
        figures["ratio_downtime"] = ours.downtime.percentile(0.5) / std::max(1.0, plain.downtime.percentile(0.5));
    }
    return figures;
}

}  // namespace

json measure_moves(const MoveHosts& hosts, const std::string& image, int memory_mib, int rounds) {
    Traveller guest(hosts, image, memory_mib);
    Taken warm_up;
    guest.by_virsh(0, warm_up);
    guest.by_hvagent(0, warm_up);
    say("moves of an easy guest");
    json figures = {{"easy", compare(guest, 0, rounds)}};
    say("moves of a guest that is busy with its memory");
    guest.dirty(busy_mib);
    figures["busy"] = compare(guest, busy_limit, std::max(1, rounds / 4));
    figures["busy"]["patience_s"] = patience_s;
    return figures;
}

}  // namespace hvagent::bench
