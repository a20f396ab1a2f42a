"""What a host finds on its disk: configuration, identity, the list of its daemons."""
import json
import tomllib
import uuid

from . import certificates
from .host import Host
from .place import ROOT, SHARED, Failure


def merge(base, extra):
    for key, value in extra.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value


def to_toml(table, path=()):
    """Enough of TOML for a configuration: tables, lists of tables, scalars, lists."""
    def is_tables(value):
        return isinstance(value, list) and value and all(isinstance(item, dict) for item in value)

    def key_text(key):
        return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)

    def value_text(value):
        if isinstance(value, list):
            return "[" + ", ".join(map(value_text, value)) + "]"
        if isinstance(value, dict):
            return "{ " + ", ".join(f"{key_text(k)} = {value_text(v)}" for k, v in value.items()) + " }"
        return json.dumps(value, ensure_ascii=False) if isinstance(value, (str, bool)) else str(value)

    def is_scalar(value):
        return not isinstance(value, dict) and not is_tables(value)

    text = "".join(f"{key_text(key)} = {value_text(value)}\n" for key, value in table.items() if is_scalar(value))
    for key, value in table.items():
        name = ".".join(map(key_text, (*path, key)))
        if isinstance(value, dict):
            text += f"\n[{name}]\n" + to_toml(value, (*path, key))
        elif is_tables(value):
            text += "".join(f"\n[[{name}]]\n" + to_toml(item, (*path, key)) for item in value)
    return text.lstrip("\n")


def agent_config(host, extra):
    config = {
        "http": {"listen": f"{host.address}:8080", "insecure": True},
        "libvirt": {"uri": "qemu:///system", "virt_type": "qemu"},
        "state": {"directory": "/var/lib/hvagent"},
        "host": {"name": host.name, "management_ip": host.address},
        "admin": {"password": "password"},
        "primary_storage": {"path": "/var/lib/hvagent/primary"},
        "backup_storage": {"path": "/var/lib/hvagent/backup"},
        "migration": {"tls": False},
        "network": {"name": "hvagent", "cidr": "192.168.221.0/24", "bridge": "hvabr0"},
        "log": {"target": "stderr", "level": "info"},
    }
    for mark, value in (("@HOST@", host.name), ("@ADDRESS@", host.address), ("@SHARED@", str(SHARED))):
        extra = extra.replace(mark, value)
    try:
        merge(config, tomllib.loads(extra))
    except tomllib.TOMLDecodeError as error:
        raise Failure(f"--config-extra: {error}") from None
    return config


def libvirtd_conf(host, identity):
    return f"""\
host_uuid = "{identity}"
listen_tls = 1
listen_tcp = 1
listen_addr = "{host.address}"
auth_tcp = "none"
auth_unix_rw = "none"
unix_sock_group = "libvirt"
unix_sock_rw_perms = "0770"
log_outputs = "3:stderr"
keepalive_interval = 5
keepalive_count = 5
"""


def qemu_conf(host):
    """With these keepalives a lost peer is noticed after 6 s."""
    return f"""\
user = "root"
group = "root"
security_driver = "none"
remember_owner = 0
default_tls_x509_cert_dir = "/etc/pki/qemu"
default_tls_x509_verify = 1
migration_address = "{host.address}"
migration_host = "{host.address}"
keepalive_interval = 2
keepalive_count = 3
"""


def daemons(host, agent):
    wanted = [
        {"name": "virtlogd", "argv": ["virtlogd"]},
        {"name": "libvirtd", "argv": ["libvirtd", "--listen"]},
    ]
    if agent:
        wanted.append({"name": "hvagentd", "argv": [str(agent), "--config", "/etc/hvagent/hvagentd.toml"],
                       "after": "/run/libvirt/libvirt-sock"})
    return [{**daemon, "log": f"{host.log}/{daemon['name']}.log"} for daemon in wanted]


def write(host, count, agent, extra, lossless):
    for part in ("etc", "log/libvirt/qemu", "hvagent", "libvirt", "cache/qemu/capabilities", "scratch"):
        (host.dir / part).mkdir(parents=True)
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"hvagent-lab:{ROOT}:{host.name}")
    names = [f"{each.address} {each.name}\n" for each in map(Host, range(1, count + 1))]
    files = {
        "etc/hvagentd.toml": to_toml(agent_config(host, extra)),
        "etc/machine-id": identity.hex + "\n",
        "etc/hosts": "127.0.0.1 localhost\n" + "".join(names),
        "etc/libvirtd.conf": libvirtd_conf(host, identity),
        "etc/qemu.conf": qemu_conf(host),
        "daemons.json": json.dumps(daemons(host, agent)),
    }
    for name, text in files.items():
        (host.dir / name).write_text(text)
    if lossless:
        (host.dir / "lossless").touch()
    certificates.make_host(host)
    host.agent_config.chmod(0o600) # there is a password in it
