"""A real nginx in a temporary folder."""

import shutil
import socket
import subprocess
from pathlib import Path

from .ports import free_port
from .waiting import wait_for


class Nginx:
    """nginx on a free port of 127.0.0.1 that answers 204, or passes on to `upstream`.

        nginx = Nginx(folder)                                            # http, answers 204
        nginx = Nginx(folder, cert=certs.server, key=certs.server_key)   # https
        nginx = Nginx(folder, …, client_ca=certs.ca)                     # … that wants a client cert
        nginx = Nginx(folder, location="return 503;")                    # another behaviour
        nginx.requests                                                   # parsed access log

    `upstream` is a URL such as HttpCollector's. `extra` goes into the server block as it is.
    """

    FIELDS = ("status", "method", "uri", "length", "encoding", "key", "protocol", "connection",
              "client", "tls", "reused", "suite")

    def __init__(self, folder, cert=None, key=None, client_ca=None, upstream=None,
                 location="return 204;", extra=""):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.tls = cert is not None
        self._write_config(cert, key, client_ca, upstream, location, extra)
        self.process = None
        self.start()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}/ingest"

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        binary = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen(
            [binary, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"),
             "-e", str(self.folder / "error.log")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self._listens, what=lambda: f"nginx: {self.error_log}")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    @property
    def error_log(self):
        path = self.folder / "error.log"
        return path.read_text() if path.exists() else ""

    @property
    def requests(self):
        """One dict of FIELDS (text) for each finished request."""
        path = self.folder / "access.log"
        if not path.exists():
            return []
        return [dict(zip(self.FIELDS, line.split("\t"))) for line in path.read_text().splitlines()]

    def _listens(self):
        assert self.process.poll() is None, f"nginx ended: {self.error_log}"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def _write_config(self, cert, key, client_ca, upstream, location, extra):
        tls = ""
        if cert:
            tls = f"ssl_certificate {cert}; ssl_certificate_key {key};"
        if client_ca:
            tls += f" ssl_client_certificate {client_ca}; ssl_verify_client on;"
        if upstream:
            location = f"proxy_pass {upstream}; proxy_http_version 1.1;"
        paths = "".join(
            f"  {kind}_temp_path {self.folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(
            f"daemon off;\nmaster_process off;\npid {self.folder}/nginx.pid;\n"
            "events { worker_connections 512; }\nhttp {\n" + paths +
            "  log_format fields '$status\\t$request_method\\t$uri\\t$http_content_length"
            "\\t$http_content_encoding\\t$http_idempotency_key\\t$server_protocol\\t$connection"
            "\\t$ssl_client_verify\\t$ssl_protocol\\t$ssl_session_reused\\t$ssl_cipher';\n"
            f"  access_log {self.folder}/access.log fields;\n"
            "  client_max_body_size 64m;\n  client_body_buffer_size 2m;\n"
            "  server {\n"
            f"    listen 127.0.0.1:{self.port}{' ssl' if cert else ''};\n    {tls}\n    {extra}\n"
            f"    location / {{ {location} }}\n  }}\n}}\n")
