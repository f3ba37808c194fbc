"""A real MariaDB in a temporary folder."""

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote, urlencode

from .ports import free_port
from .waiting import wait_for

SERVER = next((path for path in map(Path, ("/usr/sbin/mariadbd", "/usr/bin/mariadbd")) if path.exists()), None)
# It refuses to run as root. `mysql` is a user where the whole server is installed, not only its programs.
AS_NOBODY = (
    ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups")
    if os.geteuid() == 0 else ()
)
PASSWORD = "p@ss w/rd:ä"
USERS = f"""
CREATE USER leat@'%';
CREATE USER password_user@'%' IDENTIFIED BY '{PASSWORD}';
CREATE USER tls_user@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;
CREATE USER cert_user@'%' REQUIRE X509;
GRANT ALL ON *.* TO leat@'%', password_user@'%', tls_user@'%', cert_user@'%';
"""
_template = None


def _install():
    """A data folder made once for all servers of this process, as it takes seconds."""
    global _template
    if _template is None:
        folder = _folder()
        done = subprocess.run(
            [*AS_NOBODY, "mariadb-install-db", "--no-defaults", f"--datadir={folder / 'data'}",
             f"--tmpdir={folder}", "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"],
            capture_output=True, text=True, cwd="/", timeout=120, check=False)
        if done.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            raise AssertionError(done.stderr or done.stdout)
        _template = folder
        atexit.register(remove_template)
    return _template / "data"


def _folder():
    """Also a server's `tmpdir`: when it starts it removes temporary tables there, another's, too."""
    # Not pytest's tmp_path: that is root's alone. And a Unix socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="leat-my-"))
    if AS_NOBODY:
        shutil.chown(folder, "nobody", "nogroup")
    return folder


def remove_template():
    global _template
    if _template is not None:
        shutil.rmtree(_template, ignore_errors=True)
        _template = None


class Mariadb:
    """A MariaDB server on a free port of 127.0.0.1 and a Unix socket.

        server = Mariadb()
        server = Mariadb(ssl=(certs.server, certs.server_key), client_ca=certs.ca)
        database = server.database("name")     # made anew
        server.stop(); server.start(); server.restart(); server.kill()

    `settings` are options of mariadbd, with "_" for "-".
    """

    def __init__(self, ssl=None, client_ca=None, **settings):
        template = _install()
        self.folder = _folder()
        self.port = free_port()
        self.process = None
        subprocess.run([*AS_NOBODY, "cp", "-a", template, self.folder / "data"], check=True, timeout=60)
        self.settings = {
            "bind_address": "127.0.0.1", "port": self.port, "socket": self.socket, "tmpdir": self.folder,
            "skip_name_resolve": 1,
            "innodb_buffer_pool_size": "16M", "innodb_log_file_size": "16M", "innodb_flush_log_at_trx_commit": 2,
            "performance_schema": 0, "skip_log_bin": 1, "key_buffer_size": "1M", "aria_pagecache_buffer_size": "1M",
            **settings}
        if ssl:
            self.settings["ssl_cert"] = self._own(ssl[0], "server.pem")
            self.settings["ssl_key"] = self._own(ssl[1], "server.key")
        if client_ca:
            self.settings["ssl_ca"] = self._own(client_ca, "client_ca.pem")
        try:
            self.start()
            self.query(USERS)
        except BaseException:
            self.close()
            raise

    @property
    def socket(self):
        return self.folder / "socket"

    # --- the process ------------------------------------------------------------------------------

    def start(self):
        options = [f"--{name.replace('_', '-')}={value}" for name, value in self.settings.items()]
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [*AS_NOBODY, SERVER, "--no-defaults", f"--datadir={self.folder / 'data'}", *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        wait_for(self._ready, 60, what=lambda: f"MariaDB: {self.log[-3000:]}")
        return self

    def stop(self):
        """An orderly end: sessions are ended, and all is written."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
            self.process = None

    def restart(self):
        self.stop()
        self.start()

    def kill(self):
        """kill -9: nobody says goodbye."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(60)
            self.process = None

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self):
        return (self.folder / "server.log").read_text(errors="replace")

    # --- use --------------------------------------------------------------------------------------

    def database(self, name):
        """A new, empty database; an older one of that name is dropped."""
        self.query(f"DROP DATABASE IF EXISTS `{name}`; CREATE DATABASE `{name}` CHARACTER SET utf8mb4;")
        return Database(self, name)

    def url(self, database, user="leat", password=None, host="127.0.0.1", **parameters):
        secret = ":" + quote(password, safe="") if password else ""
        query = "?" + urlencode(parameters) if parameters else ""
        return f"mysql://{user}{secret}@{host}:{self.port}/{database}{query}"

    def _client(self, database):
        return ["mariadb", "--no-defaults", "--batch", "--raw", "--unbuffered", "--skip-column-names",
                f"--socket={self.socket}", "--user=root", "--default-character-set=utf8mb4",
                "--init-command=SET time_zone='+00:00'", database]

    def client(self, database, **how):
        """The client, with a session of its own."""
        return subprocess.Popen(self._client(database), **how)

    def query(self, sql, database=""):
        """Runs SQL; its rows as tuples of text, with "NULL" for null. Times are in UTC."""
        done = subprocess.run(self._client(database), input=sql, capture_output=True, text=True, timeout=120,
                              check=False)
        assert done.returncode == 0, f"{sql[:2000]}: {done.stderr}"
        return [tuple(line.split("\t")) for line in done.stdout.splitlines()]

    def sessions(self):
        """Numbers of those that leat has."""
        rows = self.query("SELECT id FROM information_schema.processlist WHERE user <> 'root' AND command <> 'Daemon'")
        return [row[0] for row in rows]

    # --- inside -----------------------------------------------------------------------------------

    def _ready(self):
        assert self.process.poll() is None, f"MariaDB ended: {self.log[-3000:]}"
        done = subprocess.run(["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", "-e", "SELECT 1"],
                              capture_output=True, timeout=30, check=False)
        return done.returncode == 0

    def _own(self, source, name):
        path = self.folder / name
        path.write_text(Path(source).read_text())
        path.chmod(0o600)
        if AS_NOBODY:
            shutil.chown(path, "nobody", "nogroup")
        return path


class Database:
    """One database of a server: `url` for leat, query() for the test."""

    def __init__(self, server, name):
        self.server = server
        self.name = name

    @property
    def url(self):
        return self.server.url(self.name)

    def url_of(self, user, **how):
        return self.server.url(self.name, user=user, **how)

    def query(self, sql):
        return self.server.query(sql, self.name)

    def value(self, sql):
        """The one value of a query, as text."""
        rows = self.query(sql)
        assert len(rows) == 1 and len(rows[0]) == 1, rows
        return rows[0][0]
