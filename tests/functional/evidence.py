"""What a failed test leaves to read."""
import json
import os
import shutil
from pathlib import Path

from client import Api, ApiError
from lab import REPOSITORY

ARTIFACTS = Path(os.environ.get("ARTIFACTS", REPOSITORY / "build" / "test-artifacts"))


def keep_evidence(host, target):
    """Logs, consoles, domains and jobs, as far as they can be had."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for source in (host.dir / "log", host.state / "serial"):
        if source.exists():
            shutil.copytree(source, target / source.name, ignore_dangling_symlinks=True)
    configuration = host.dir / "etc" / "hvagentd.toml"
    if not configuration.exists():
        return  # the lab is gone already
    shutil.copy(configuration, target)
    show = """virsh list --all; for vm in $(virsh list --all --name); do timeout 5 virsh dumpxml $vm; done
        for net in $(virsh net-list --name); do timeout 5 virsh net-dumpxml $net; done
        tail -n +1 /var/lib/libvirt/dnsmasq/*; ps axf"""
    domains = host.exec("sh", "-c", show, check=False)
    (target / "domains.txt").write_text(domains.stdout + domains.stderr)
    try:
        api = Api(host.url)
        api.login(host.password)
        for name, path in (("vms", "/vm-instances"), ("images", "/images"), ("jobs", "/longjobs")):
            (target / f"{name}.json").write_text(json.dumps(api.get(path), indent=1))
    except (OSError, ApiError, AssertionError, KeyError, TypeError) as error:
        (target / "api-error.txt").write_text(repr(error))
