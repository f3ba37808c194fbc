"""Certificates made on the fly with the openssl command."""

import subprocess
from pathlib import Path


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Certs:
    """A small PKI in a folder: each entry is a path to a PEM file.

    ca, other_ca          a certificate authority, and one that nobody knows
    server, server_key    for localhost and 127.0.0.1, signed by ca
    elsewhere(_key)       for elsewhere.example, signed by ca
    expired(_key)         for localhost, ended in the past
    client, client_key    for client authentication, signed by ca
    ed25519(_key)         for localhost, of a kind that leat cannot verify, signed by itself
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca, self.ca_key = self._authority("ca")
        self.other_ca, self.other_ca_key = self._authority("other_ca")
        local = "DNS:localhost,IP:127.0.0.1"
        self.server, self.server_key = self._issue("server", local)
        self.elsewhere, self.elsewhere_key = self._issue("elsewhere", "DNS:elsewhere.example")
        self.expired, self.expired_key = self._issue("expired", local, past=True)
        self.client, self.client_key = self._issue("client", "DNS:gw-042")
        self.ed25519, self.ed25519_key = self.folder / "ed25519.pem", self.folder / "ed25519.key"
        _openssl("req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", self.ed25519_key, "-out",
                 self.ed25519, "-days", "2", "-subj", "/CN=localhost")

    def _authority(self, name):
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                 "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", f"/CN=leat test {name}",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        return cert, key

    def _issue(self, name, alternative_names, past=False):
        cert, key, request = (self.folder / f"{name}.{kind}" for kind in ("pem", "key", "csr"))
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        # `openssl ca` can set both dates; `openssl x509 -req` cannot in version 3.0.
        work = self.folder / f"{name}.d"
        (work / "new").mkdir(parents=True)
        (work / "index.txt").write_text("")
        (work / "serial").write_text(name.encode().hex().upper())
        config = work / "ca.cnf"
        config.write_text(
            "[ca]\ndefault_ca=it\n[it]\n"
            f"dir={work}\ndatabase={work}/index.txt\nserial={work}/serial\nnew_certs_dir={work}/new\n"
            f"certificate={self.ca}\nprivate_key={self.ca_key}\ndefault_md=sha256\npolicy=any\n"
            "unique_subject=no\n[any]\ncommonName=supplied\n"
            f"[ext]\nsubjectAltName={alternative_names}\nbasicConstraints=CA:FALSE\n")
        dates = ["-startdate", "20200101000000Z", "-enddate",
                 "20200201000000Z" if past else "20491231235959Z"]
        _openssl("ca", "-batch", "-config", config, "-extensions", "ext", "-in", request, "-out",
                 cert, "-notext", *dates)
        return cert, key
