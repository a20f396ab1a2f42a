// Moves between the domains of several FakeHosts.
//
//   source.migration().reach("qemu+tcp://h2/system", destination.domains());
//   source.migration().sights = {...};                  // what the judge sees; its orders are in `orders`
//   source.migration().lost_answer = Error(...);        // the move succeeds, and its answer does not arrive
//   source.faults.hang("migrate");                      // until released or cancelled; truth() says it is on its way
//   source.faults.fail_next("migrate", Error(...));     // the VM stays where it is
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hvagent/drivers/vm_migration.h"
#include "tests/fakes/fake_domains.h"

namespace hvagent {

class FakeVmMigration final : public VmMigration {
public:
    FakeVmMigration(FakeDomains& domains, Faults& faults) : domains_(domains), faults_(faults) {}

    MigrationResult migrate(const VmId& vm, const MigrationWay& given, MigrationJudge& judge,
                            Cancellation& cancel) override {
        const Moving moving(*this, vm);
        {
            const std::lock_guard lock(mutex_);
            ways.push_back(given);
        }
        FakeDomains& source = given.source_uri.empty() ? domains_ : reached(given.source_uri);
        source.with(vm, [&](FakeDomain& domain) {
            if (!domain.is_active()) throw Error(Code::vm_wrong_state, "migrate VM " + vm.str() + ": the VM is off");
        });
        faults_.happen("migrate", &cancel);
        MigrationResult made = result;
        for (const MigrationSight& sight : sights) {
            cancel.check();
            obey(judge.judge(sight), made);
        }
        move(vm, given, source);
        if (lost_answer) throw *std::exchange(lost_answer, std::nullopt);
        return made;
    }
    MigrationTruth truth(const VmId& vm) override {
        faults_.happen("truth");
        MigrationTruth seen = domains_.with_all([&](auto& domains, auto&) {
            const auto found = domains.find(vm);
            if (found == domains.end()) return MigrationTruth{};
            const FakeDomain& domain = found->second;
            return MigrationTruth{domain.state, domain.reason, domain.persistent, domain.is_active(), false, false};
        });
        const std::lock_guard lock(mutex_);
        seen.migrating_out = seen.active && moving_.contains(vm);
        seen.migrating_in = arriving.contains(vm);
        return seen;
    }
    void abort(const VmId& vm) override {
        faults_.happen("abort_migration");
        const std::lock_guard lock(mutex_);
        aborted.push_back(vm);
        arriving.erase(vm);
    }
    void adopt(const VmId& vm, const std::string& host_uuid) override {
        faults_.happen("adopt");
        domains_.with(vm, [&](FakeDomain& domain) { domain.spec.host_uuid = host_uuid; });
    }
    GuestNeeds needs_of(const VmId& vm) override {
        faults_.happen("needs_of");
        return domains_.with(vm, [&](FakeDomain& domain) {
            if (!domain.is_active()) throw Error(Code::vm_wrong_state, "VM " + vm.str() + " is off");
            return needs;
        });
    }
    std::vector<std::string> misfits(const GuestNeeds&) override {
        faults_.happen("misfits");
        return lacks;
    }
    std::vector<std::string> obstacles(const VmId&) override {
        faults_.happen("obstacles");
        return hinders;
    }
    void resume_post_copy(const VmId& vm, const MigrationWay& way) override {
        faults_.happen("resume_post_copy");
        ways.push_back(way);
        move(vm, way, domains_);
    }
    std::optional<std::string> why_unreachable(const std::string& uri) override {
        try {
            reached(uri);
            return std::nullopt;
        } catch (const Error& error) {
            return error.details();
        }
    }

    // Test: the host behind a URI. It must outlive this object.
    void reach(const std::string& uri, FakeDomains& host) { hosts_[uri] = &host; }

    // Test: what the next moves show and come to, and what this host answers.
    std::vector<MigrationSight> sights;
    MigrationResult result{milliseconds(900), milliseconds(40), 100 * MiB, 2, false, false};
    std::optional<Error> lost_answer;
    GuestNeeds needs{"qemu", "x86_64", "pc-q35-7.2", "<cpu mode='maximum'/>", ""};
    std::vector<std::string> lacks;
    std::vector<std::string> hinders;
    std::set<VmId> arriving;  // moves to this host that truth() shows

    // What was asked for.
    std::vector<MigrationWay> ways;
    std::vector<MigrationOrder> orders;
    std::vector<VmId> aborted;

private:
    struct Moving {
        FakeVmMigration& owner;
        const VmId vm;
        Moving(FakeVmMigration& it, const VmId& which) : owner(it), vm(which) {
            const std::lock_guard lock(owner.mutex_);
            owner.moving_.insert(vm);
        }
        ~Moving() {
            const std::lock_guard lock(owner.mutex_);
            owner.moving_.erase(vm);
        }
        Moving(const Moving&) = delete;
        Moving& operator=(const Moving&) = delete;
    };

    FakeDomains& reached(const std::string& uri) {
        const auto found = hosts_.find(uri);
        if (found == hosts_.end()) throw Error(Code::operation_failed, "unable to connect to server at '" + uri + "'");
        return *found->second;
    }
    void obey(const MigrationOrder& order, MigrationResult& made) {
        orders.push_back(order);
        if (order.what == MigrationOrder::What::abort) throw Error(Code::vm_migrate, order.reason);
        if (order.what == MigrationOrder::What::start_post_copy) made.post_copied = true;
        if (order.what == MigrationOrder::What::pause_guest) made.paused_to_converge = true;
    }
    void move(const VmId& vm, const MigrationWay& way, FakeDomains& source) {
        FakeDomains& destination = way.destination_uri.empty() ? domains_ : reached(way.destination_uri);
        FakeDomain arrived = source.with(vm, [](FakeDomain& domain) { return domain; });
        put_in_place(arrived.spec, way.places);
        arrived.persistent = true;
        destination.with_all([&](auto& domains, auto&) {
            if (const auto there = domains.find(vm); there != domains.end() && there->second.is_active())
                throw Error(Code::operation_failed, "domain '" + vm.str() + "' is already active");
            FakeDomain& domain = domains[vm] = arrived;
            destination.change(domain, arrived.state, arrived.state == VmState::running ? "migrated" : "migration");
        });
        source.with(vm, [&](FakeDomain& domain) {
            domain.persistent = false;
            source.change(domain, VmState::stopped, "migrated");
        });
    }
    static void put_in_place(VmSpec& spec, const MigrationPlaces& places) {
        const auto place = [&](std::string& path) {
            if (const auto found = places.paths.find(path); found != places.paths.end()) path = found->second;
        };
        for (DiskSpec& disk : spec.disks) place(disk.path);
        for (CdRomSpec& cdrom : spec.cdroms) place(cdrom.iso_path);
        place(spec.serial_log);
        for (const MigrationPlaces::Nic& there : places.nics)
            for (NicSpec& nic : spec.nics) {
                if (nic.mac != there.mac) continue;
                nic.network = there.network;
                nic.bridge = there.bridge;
                nic.target_name = there.target_name;
            }
        if (!places.host_uuid.empty()) spec.host_uuid = places.host_uuid;
    }

    FakeDomains& domains_;
    Faults& faults_;
    std::map<std::string, FakeDomains*> hosts_;
    std::mutex mutex_;
    std::set<VmId> moving_;
};

}  // namespace hvagent
