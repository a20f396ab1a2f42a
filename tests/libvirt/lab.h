// One host of scripts/lab for the tests of this program: a libvirtd of its own in namespaces of its own. Made at the first
// use, removed at the end.
#pragma once
#include <sys/types.h>

#include <string>

#include "hvagent/ids.h"

namespace hvagent::testing {

class Lab {
public:
    // Null where no lab can be made; why() tells the reason.
    static Lab* get();
    static const std::string& why();

    const std::string& uri() const { return uri_; }
    const std::string& directory() const { return directory_; }  // the host's own, for images and logs
    // The disk image of the lab's tiny guest; empty where it cannot be built.
    static std::string guest_image();

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
    Lab() = default;
    bool make(std::string& why);
    void control(const std::string& words) const;

    std::string uri_;
    std::string directory_;
};

}  // namespace hvagent::testing
