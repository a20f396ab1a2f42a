// Hosts of scripts/lab for the tests of this program: each with a libvirtd of its own in namespaces of its own. Made at the
// first use, removed at the end.
#pragma once
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "hvagent/ids.h"

namespace hvagent::testing {

class Lab {
public:
    // One host, and another lab of two; null where no lab can be made: why() tells the reason.
    static Lab* get();
    static Lab* pair();
    static const std::string& why();

    // Of host h1, or of the one with this number.
    const std::string& uri(int host = 1) const { return at(host).uri; }
    const std::string& directory(int host = 1) const { return at(host).directory; }  // the host's own, for images and logs
    const std::string& shared() const { return hosts_.front().shared; }  // the same on all hosts, and taken for shared
    // The disk image of the lab's tiny guest; empty where it cannot be built.
    static std::string guest_image();

    // scripts/lab with these words.
    void control(const std::string& words) const;
    // scripts/lab start|stop|signal; each returns when it is done.
    void start_libvirtd() { control("start h1 libvirtd"); }
    void stop_libvirtd() { control("stop h1 libvirtd"); }
    void kill_libvirtd() { control("signal h1 libvirtd KILL"); }
    void freeze_libvirtd() { control("signal h1 libvirtd STOP"); }
    void thaw_libvirtd() { control("signal h1 libvirtd CONT"); }

    // The QEMU of a VM, as seen from here; 0: none.
    static pid_t qemu_of(const VmId& vm);
    // Sends a signal to it; the test fails when there is none.
    static void signal_qemu(const VmId& vm, int number);

    ~Lab();

private:
    struct Host {
        std::string uri;
        std::string directory;
        std::string shared;
    };
    explicit Lab(std::string name) : name_(std::move(name)) {}
    static std::unique_ptr<Lab> make(const std::string& kind, int hosts);
    const Host& at(int host) const { return hosts_.at(static_cast<std::size_t>(host - 1)); }

    const std::string name_;
    std::vector<Host> hosts_;
};

}  // namespace hvagent::testing
