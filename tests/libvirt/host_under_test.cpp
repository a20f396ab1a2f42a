#include "tests/libvirt/host_under_test.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <signal.h>

#include "drivers/libvirt/libvirt_host.h"
#include "drivers/qemu_img/qemu_img.h"
#include "tests/fakes/fake_host.h"
#include "tests/libvirt/lab.h"

namespace hvagent::testing {
namespace {

const SystemClock& system_clock() {
    static const SystemClock clock;
    return clock;
}

class Fake final : public HostUnderTest {
public:
    VmPower& power() override { return host_.power(); }
    VmDefinitions& definitions() override { return host_.definitions(); }
    VmObserver& observer() override { return host_.observer(); }
    HostInspector& inspector() override { return host_.inspector(); }
    VirtualNetworks& networks() override { return host_.networks(); }
    VmMigration& migration() override { return host_.migration(); }

    ForeignDomain add_foreign() override {
        ForeignDomain domain{make_uuid(), with_dashes(make_uuid()), "running"};
        domain.uuid = with_dashes(domain.name);
        host_.add_foreign(domain);
        return domain;
    }
    void kill_qemu(const VmId& vm) override { host_.kill_qemu(vm); }

private:
    FakeHost host_{system_clock()};
};

class Real : public HostUnderTest {
public:
    Real(libvirt::LibvirtSettings settings, std::string domain_type)
        : uri_(settings.uri), domain_type_(std::move(domain_type)), host_(std::move(settings), system_clock(), images_) {}
    ~Real() override {
        for (const std::string& uuid : foreign_) remove_foreign(uuid);
        if (stranger_) virConnectClose(stranger_);
    }

    VmPower& power() override { return host_.power(); }
    VmDefinitions& definitions() override { return host_.definitions(); }
    VmObserver& observer() override { return host_.observer(); }
    HostInspector& inspector() override { return host_.inspector(); }
    VirtualNetworks& networks() override { return host_.networks(); }
    VmMigration& migration() override { return host_.migration(); }

    // Named like ours, so that only the missing mark tells.
    ForeignDomain add_foreign() override {
        const std::string name = make_uuid();
        const std::string xml = "<domain type='" + domain_type_ + "'><name>" + name + "</name><uuid>" + with_dashes(name) +
                                "</uuid><memory unit='MiB'>16</memory><os><type>hvm</type></os></domain>";
        // Stays open: the test driver's world ends with its last connection.
        if (!stranger_) stranger_ = virConnectOpen(uri_.c_str());
        virDomainPtr domain = stranger_ ? virDomainDefineXML(stranger_, xml.c_str()) : nullptr;
        EXPECT_TRUE(domain && virDomainCreate(domain) == 0) << virGetLastErrorMessage();
        if (domain) virDomainFree(domain);
        foreign_.push_back(with_dashes(name));
        return {name, with_dashes(name), "running"};
    }
    void kill_qemu(const VmId& vm) override { Lab::signal_qemu(vm, SIGKILL); }
    bool has_qemu() const override { return domain_type_ == "qemu"; }

private:
    void remove_foreign(const std::string& uuid) const {
        if (virDomainPtr domain = virDomainLookupByUUIDString(stranger_, uuid.c_str())) {
            virDomainDestroy(domain);
            virDomainUndefine(domain);
            virDomainFree(domain);
        }
    }

    const std::string uri_;
    const std::string domain_type_;
    std::vector<std::string> foreign_;
    virConnectPtr stranger_ = nullptr;
    QemuImg images_{QemuImgSettings{}};
    libvirt::LibvirtHost host_;
};

std::unique_ptr<HostUnderTest> make_test_driver(std::string&) {
    libvirt::LibvirtSettings settings;
    settings.uri = "test:///default";
    return std::make_unique<Real>(settings, "test");
}

std::unique_ptr<HostUnderTest> make_libvirtd(std::string& why) {
    Lab* lab = Lab::get();
    if (!lab) return why = Lab::why(), nullptr;
    libvirt::LibvirtSettings settings;
    settings.uri = lab->uri();
    settings.virt_type = "qemu";
    return std::make_unique<Real>(settings, "qemu");
}

}  // namespace

std::vector<HostKind> all_hosts() {
    return {
        {"Fake", [](std::string&) { return std::make_unique<Fake>(); }},
        {"TestDriver", make_test_driver},
        {"Libvirtd", make_libvirtd},
    };
}

void HostTest::TearDown() {
    if (!host) return;
    for (const VmId& vm : made) {
        host->power().destroy(vm);
        host->definitions().undefine(vm);
    }
    host->observer().stop();
}

VmSpec HostTest::small_spec() {
    VmSpec spec;
    spec.vm = VmId::make();
    spec.memory = 32 * MiB;
    spec.title = "small";
    return spec;
}

VmId HostTest::define_vm() {
    const VmSpec spec = small_spec();
    host->definitions().define(spec);
    made.push_back(spec.vm);
    return spec.vm;
}

void Recorder::on_connected(std::vector<VmObservation> picture) {
    const std::lock_guard lock(mutex_);
    picture_ = std::move(picture);
    ++pictures_;
    changed_.notify_all();
}

void Recorder::on_event(const VmEvent& event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
    changed_.notify_all();
}

void Recorder::on_disconnected(const std::string&) {
    const std::lock_guard lock(mutex_);
    ++disconnects_;
    changed_.notify_all();
}

template <class Condition>
bool Recorder::wait(milliseconds patience, Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, condition);
}

bool Recorder::wait_for_pictures(int count, milliseconds patience) {
    return wait(patience, [&] { return pictures_ >= count; });
}

bool Recorder::wait_for_disconnects(int count, milliseconds patience) {
    return wait(patience, [&] { return disconnects_ >= count; });
}

bool Recorder::wait_for(const VmId& vm, VmState state, const std::string& reason, milliseconds patience) {
    return wait(patience, [&] {
        for (const VmEvent& event : events_)
            if (event.kind == VmEventKind::state && event.observation.vm == vm && event.observation.state == state &&
                (reason.empty() || event.observation.reason == reason))
                return true;
        return false;
    });
}

bool Recorder::wait_for(const VmId& vm, VmEventKind kind, milliseconds patience) {
    return wait(patience, [&] {
        for (const VmEvent& event : events_)
            if (event.kind == kind && event.observation.vm == vm) return true;
        return false;
    });
}

std::vector<VmEvent> Recorder::events() const {
    const std::lock_guard lock(mutex_);
    return events_;
}

std::vector<VmObservation> Recorder::picture() const {
    const std::lock_guard lock(mutex_);
    return picture_;
}

std::optional<VmObservation> Recorder::in_picture(const VmId& vm) const {
    for (const VmObservation& observation : picture())
        if (observation.vm == vm) return observation;
    return std::nullopt;
}

int Recorder::pictures() const {
    const std::lock_guard lock(mutex_);
    return pictures_;
}

void Recorder::forget_events() {
    const std::lock_guard lock(mutex_);
    events_.clear();
}

}  // namespace hvagent::testing
