"""What goes on in a guest, asked through its guest agent."""
import base64
import json
import time

import libvirt
import libvirt_qemu

from lab import wait_for


class Inside:
    def __init__(self, host, vm):
        self.host = host
        self.vm = vm
        self.end_stale_error()
        wait_for(self.answers, 30, f"the guest agent of {vm}", 0.1)

    def end_stale_error(self):
        """libvirt 9.0 that wrote to an agent while its QEMU died takes the agent of the next QEMU for broken, until the channel closes once."""
        try:
            self.agent("guest-ping")
        except libvirt.libvirtError as error:
            if "not available due to an error" not in str(error):
                return
            print(f"libvirt has a stale error of the agent of {self.vm}: {error}; the guest is reset")
            mark = len(self.host.serial(self.vm))
            self.host.domain(self.vm).reset()
            self.host.guest_says(self.vm, "GUEST-UP", mark)

    def agent(self, command, **arguments):
        asked = json.dumps({"execute": command, "arguments": arguments})
        return json.loads(libvirt_qemu.qemuAgentCommand(self.host.domain(self.vm), asked, 10, 0))["return"]

    def answers(self):
        try:
            self.agent("guest-ping")
            return True
        except libvirt.libvirtError:
            return False

    def sh(self, script, timeout_s=30):
        """What the script prints, without blanks around; it must succeed."""
        pid = self.agent("guest-exec", **{"path": "/bin/sh", "arg": ["-c", script], "capture-output": True})["pid"]
        deadline = time.monotonic() + timeout_s
        while True:
            status = self.agent("guest-exec-status", pid=pid)
            if status["exited"]:
                break
            assert time.monotonic() < deadline, f"not within {timeout_s} s: {script}"
            time.sleep(0.02)
        said = {key: base64.b64decode(status.get(key, "")).decode(errors="replace") for key in ("out-data", "err-data")}
        assert status.get("exitcode") == 0, f"{script}: {status.get('exitcode')}: {said}"
        return said["out-data"].strip()

    # --- disks ---

    def disk(self, volume):
        """"vdb"; None while the guest does not see the volume. Guests see the first 20 digits of its uuid."""
        found = self.sh(f"grep -l ^{volume[:20]} /sys/block/*/serial 2>/dev/null || true")
        return found.split("/")[3] if found else None

    def await_disk(self, volume, timeout_s=10):
        return wait_for(lambda: self.disk(volume), timeout_s, f"disk {volume} in the guest", 0.1)

    def size_of(self, disk):
        return int(self.sh(f"cat /sys/block/{disk}/size")) * 512

    def fill(self, disk, mib, at_mib=0):
        """Writes what nobody can guess; returns its checksum."""
        self.sh(f"dd if=/dev/urandom of=/run/fill bs=1M count={mib} 2>/dev/null && "
                f"dd if=/run/fill of=/dev/{disk} bs=1M seek={at_mib} conv=fsync 2>/dev/null && rm /run/fill")
        return self.checksum(disk, mib, at_mib)

    def checksum(self, disk, mib, at_mib=0):
        self.sh("echo 3 >/proc/sys/vm/drop_caches")
        return self.sh(f"dd if=/dev/{disk} bs=1M skip={at_mib} count={mib} 2>/dev/null | md5sum").split()[0]
