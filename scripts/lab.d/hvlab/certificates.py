"""A certificate authority of the lab, and each host's certificate in the layouts of libvirt and of QEMU."""
import shutil
import subprocess

from .place import ROOT

DAYS = "30"
AUTHORITIES = {"ours": ROOT / "ca", "foreign": ROOT / "foreign-ca"}
LAYOUTS = {  # where it goes below /etc/pki
    "libvirt": {"authority": ["CA/cacert.pem"], "certificate": ["libvirt/servercert.pem", "libvirt/clientcert.pem"],
                "key": ["libvirt/private/serverkey.pem", "libvirt/private/clientkey.pem"]},
    "qemu": {"authority": ["qemu/ca-cert.pem"], "certificate": ["qemu/server-cert.pem", "qemu/client-cert.pem"],
             "key": ["qemu/server-key.pem", "qemu/client-key.pem"]},
}


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def make_key(path):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    path.chmod(0o600)


def make_authority(name):
    place = AUTHORITIES[name]
    place.mkdir()
    make_key(place / "key.pem")
    openssl("req", "-x509", "-new", "-key", place / "key.pem", "-days", DAYS, "-subj", f"/CN=hvagent lab, {name}",
            "-out", place / "cert.pem", "-addext", "keyUsage=critical,keyCertSign,cRLSign")


def certify(host, name="ours"):
    """The host's certificate by that authority; it stays beside the authority's."""
    place = AUTHORITIES[name]
    key, request, certificate, wishes = (place / f"{host.name}-{part}" for part in ("key.pem", "request", "cert.pem", "wishes"))
    make_key(key)
    openssl("req", "-new", "-key", key, "-subj", f"/CN={host.name}", "-out", request)
    # One certificate serves and asks. libvirt wants the encipherment, though elliptic keys do none. Peers reach the host by its address.
    wishes.write_text("basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature,keyEncipherment\n"
                      f"extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:{host.name},IP:{host.address}\n")
    openssl("x509", "-req", "-in", request, "-CA", place / "cert.pem", "-CAkey", place / "key.pem",
            "-set_serial", host.number, "-days", DAYS, "-extfile", wishes, "-out", certificate)
    return {"authority": place / "cert.pem", "certificate": certificate, "key": key}


def install(host, made, whose):
    """LAB_ROOT/hI/etc/pki is /etc/pki of the host."""
    for part, paths in LAYOUTS[whose].items():
        for path in paths:
            target = host.dir / "etc" / "pki" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(made[part], target)


def remove(host, whose):
    for paths in LAYOUTS[whose].values():
        for path in paths:
            (host.dir / "etc" / "pki" / path).unlink(missing_ok=True)


def make_host(host):
    made = certify(host)
    for whose in LAYOUTS:
        install(host, made, whose)


def change(host, whose, name):
    if name == "none":
        return remove(host, whose)
    if not AUTHORITIES[name].exists():
        make_authority(name)
    return install(host, certify(host, name), whose)
