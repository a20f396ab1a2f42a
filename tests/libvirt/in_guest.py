#!/usr/bin/python3
"""usage: in_guest.py URI DOMAIN COMMAND: runs a shell command in a guest by its agent and prints what it prints."""
import base64
import json
import subprocess
import sys
import time

uri, domain, command = sys.argv[1:]


def agent(execute, **arguments):
    request = json.dumps({"execute": execute, "arguments": arguments})
    answer = subprocess.run(["virsh", "-c", uri, "qemu-agent-command", domain, request], check=True, text=True,
                            stdout=subprocess.PIPE)
    return json.loads(answer.stdout)["return"]


pid = agent("guest-exec", path="/bin/sh", arg=["-c", command], **{"capture-output": True})["pid"]
for _ in range(200):
    status = agent("guest-exec-status", pid=pid)
    if status["exited"]:
        sys.stdout.write(base64.b64decode(status.get("out-data", "")).decode())
        sys.stdout.write(base64.b64decode(status.get("err-data", "")).decode())
        sys.exit(0)
    time.sleep(0.05)
sys.exit("the command did not end: " + command)
