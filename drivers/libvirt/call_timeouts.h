// How long callers wait for libvirt.
#pragma once
#include "hvagent/clock.h"

namespace hvagent::libvirt {

struct CallTimeouts {
    milliseconds call{30000};
    // Pulling the plug of a frozen QEMU takes libvirt 10 s (SIGTERM, then SIGKILL); one stuck in storage takes longer.
    milliseconds destroy{45000};
    // Creating or reading; no QEMU is asked.
    milliseconds query{10000};
};

}  // namespace hvagent::libvirt
