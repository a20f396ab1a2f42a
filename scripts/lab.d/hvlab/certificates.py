"""A certificate authority of the lab, and each host's certificate in the layouts of libvirt and of QEMU."""
import subprocess

from .place import ROOT

DAYS = "30"
CA = ROOT / "ca"


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def make_key(path):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    path.chmod(0o600)


def make_authority(place=CA, name="hvagent lab"):
    place.mkdir()
    make_key(place / "cakey.pem")
    openssl("req", "-x509", "-new", "-key", place / "cakey.pem", "-days", DAYS, "-subj", f"/CN={name}", "-out", place / "cacert.pem",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")


def make_host(host, authority=CA):
    """DIR/etc/pki becomes /etc/pki of the host. Peers reach it by its address, so that must be in the certificate."""
    pki = host.dir / "etc" / "pki"
    for part in ("CA", "libvirt/private", "qemu"):
        (pki / part).mkdir(parents=True, exist_ok=True)
    key, request, certificate, wishes = (pki / name for name in ("key.pem", "request.pem", "cert.pem", "wishes"))
    make_key(key)
    openssl("req", "-new", "-key", key, "-subj", f"/CN={host.name}", "-out", request)
    wishes.write_text("basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature,keyEncipherment\n"
                      f"extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:{host.name},IP:{host.address}\n")
    openssl("x509", "-req", "-in", request, "-CA", authority / "cacert.pem", "-CAkey", authority / "cakey.pem",
            "-set_serial", host.number, "-days", DAYS, "-extfile", wishes, "-out", certificate)
    for path in ("CA/cacert.pem", "qemu/ca-cert.pem"):
        (pki / path).write_bytes((authority / "cacert.pem").read_bytes())
    # The same one serves and asks.
    for end in ("server", "client"):
        (pki / "libvirt" / f"{end}cert.pem").write_bytes(certificate.read_bytes())
        (pki / "qemu" / f"{end}-cert.pem").write_bytes(certificate.read_bytes())
        for path in (pki / "libvirt" / "private" / f"{end}key.pem", pki / "qemu" / f"{end}-key.pem"):
            path.write_bytes(key.read_bytes())
            path.chmod(0o600)
    for path in (key, request, certificate, wishes):
        path.unlink()
