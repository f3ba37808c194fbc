"""A real PostgreSQL in a temporary folder."""

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

# Debian keeps the server's programs off the PATH, a folder for each version.
BINARIES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), Path("/usr/bin"))
# PostgreSQL refuses to run as root.
AS_POSTGRES = (
    ("setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups")
    if os.geteuid() == 0 else ()
)
# One user for each way to prove who one is; `postgres`, the superuser, needs no proof.
HBA = """
local   all postgres                 trust
local   all all                      scram-sha-256
host    all postgres    127.0.0.1/32 trust
host    all trusted     127.0.0.1/32 trust
host    all clear_user  127.0.0.1/32 password
host    all md5_user    127.0.0.1/32 md5
host    all scram_user  127.0.0.1/32 scram-sha-256
hostssl all cert_user   127.0.0.1/32 cert
"""
PASSWORD = "p@ss w/rd:ä"
USERS = f"""
SET password_encryption = 'md5';
CREATE ROLE md5_user LOGIN PASSWORD '{PASSWORD}';
SET password_encryption = 'scram-sha-256';
CREATE ROLE trusted LOGIN;
CREATE ROLE clear_user LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE scram_user LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE cert_user LOGIN;
\\c template1
GRANT CREATE ON SCHEMA public TO PUBLIC;
"""
_template = None


def _initdb():
    """A data folder made once for all servers of this process, as `initdb` takes seconds."""
    global _template
    if _template is None:
        _template = _folder()
        atexit.register(remove_template)
        _run(BINARIES / "initdb", "-D", _template / "data", "-U", "postgres", "-A", "trust",
             "-E", "UTF8", "--no-locale", "--no-sync")
    return _template / "data"


def _folder():
    # Not pytest's tmp_path: that is root's alone. And a Unix socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="leat-pg-"))
    if AS_POSTGRES:
        shutil.chown(folder, "postgres", "postgres")
    return folder


def _run(*command):
    done = subprocess.run([*AS_POSTGRES, *map(str, command)], capture_output=True, text=True,
                          cwd="/", check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stderr or done.stdout}"


def remove_template():
    global _template
    if _template is not None:
        shutil.rmtree(_template, ignore_errors=True)
        _template = None


class Postgres:
    """A PostgreSQL server on a free port of 127.0.0.1 and a Unix socket.

        server = Postgres()
        server = Postgres(ssl=(certs.server, certs.server_key), client_ca=certs.ca)
        database = server.database("name")     # made anew
        server.stop(); server.start(); server.restart(); server.kill()
        server.url("name", user="scram_user", password=PASSWORD, sslmode="require")

    `settings` are lines of postgresql.conf by name; `hba` replaces pg_hba.conf.
    """

    def __init__(self, ssl=None, client_ca=None, hba=HBA, **settings):
        self.folder = _folder()
        self.data = self.folder / "data"
        self.port = free_port()
        self.process = None
        _run("cp", "-a", _initdb(), self.data)
        self.settings = {
            "listen_addresses": "127.0.0.1", "port": self.port,
            "unix_socket_directories": self.folder, "fsync": "off", "max_connections": 30,
            "shared_buffers": "16MB", "log_min_messages": "warning", "log_line_prefix": "%m [%p] %u ",
            **settings}
        self.set_ssl(ssl, client_ca)
        self.set_hba(hba)
        self.start()
        self.query(USERS)

    # --- configuration; takes effect with the next start() ----------------------------------------

    def set_ssl(self, ssl, client_ca=None):
        """`ssl` is a pair of paths: certificate and key, as in harness/certs.py; None: no TLS."""
        self.settings["ssl"] = "on" if ssl else "off"
        if ssl:
            self.settings["ssl_cert_file"] = self._own(ssl[0], "server.pem")
            self.settings["ssl_key_file"] = self._own(ssl[1], "server.key")
        self.settings.pop("ssl_ca_file", None)
        if client_ca:
            self.settings["ssl_ca_file"] = self._own(client_ca, "client_ca.pem")

    def set_hba(self, text):
        self._write(self.data / "pg_hba.conf", text)

    # --- the process ------------------------------------------------------------------------------

    def start(self):
        lines = "".join(f"{name} = '{value}'\n" for name, value in self.settings.items())
        self._write(self.data / "postgresql.conf", lines)
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [*AS_POSTGRES, str(BINARIES / "postgres"), "-D", str(self.data)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        wait_for(self._ready, what=lambda: f"PostgreSQL: {self.log[-3000:]}")
        return self

    def stop(self, how=signal.SIGINT):
        """Fast shutdown: connections are ended with a message (57P01)."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def restart(self):
        self.stop()
        self.start()

    def kill(self):
        """kill -9 of the server and all its processes: nobody says goodbye."""
        children = self._children()
        self.process.kill()
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(60)
        self.process = None
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children),
                 what="the server's processes to be gone")

    def close(self):
        if self.process is not None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self):
        return (self.folder / "server.log").read_text(errors="replace")

    # --- use --------------------------------------------------------------------------------------

    def database(self, name):
        """A new, empty database; an older one of that name is dropped."""
        self.query(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE);\nCREATE DATABASE "{name}";')
        return Database(self, name)

    def url(self, database="postgres", user="postgres", password=None, host="127.0.0.1",
            **parameters):
        secret = ":" + quote(password, safe="") if password else ""
        query = "?" + urlencode(parameters) if parameters else ""
        return f"postgresql://{user}{secret}@{host}:{self.port}/{database}{query}"

    def query(self, sql, database="postgres"):
        """Runs SQL with psql; its rows as tuples of text, with "NULL" for null."""
        done = subprocess.run(
            ["psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-P", "null=NULL",
             "-v", "ON_ERROR_STOP=1", "-f", "-", "-d",
             f"host={self.folder} port={self.port} user=postgres dbname='{database}' "
             "client_encoding=UTF8"],
            input=sql, capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "PGOPTIONS": "-c client_min_messages=warning"})
        assert done.returncode == 0, f"{sql}: {done.stderr}"
        text = done.stdout.removesuffix("\n")
        return [tuple(row.split("\x1f")) for row in text.split("\x1e")] if text else []

    def connections(self, application="leat"):
        """How many sessions such a program has."""
        rows = self.query(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{application}'")
        return int(rows[0][0])

    # --- inside -----------------------------------------------------------------------------------

    def wait_ready(self):
        """After a process of it has died, for which it starts all of them anew."""
        wait_for(self._ready, what=lambda: f"PostgreSQL: {self.log[-3000:]}")

    def _ready(self):
        assert self.process.poll() is None, f"PostgreSQL ended: {self.log[-3000:]}"
        done = subprocess.run([BINARIES / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port)],
                              check=False)
        return done.returncode == 0

    def _children(self):
        children = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == self.process.pid:
                children.append(int(stat.parent.name))
        return children

    def _own(self, source, name):
        path = self.folder / name
        self._write(path, Path(source).read_text())
        return path

    def _write(self, path, text):
        path.write_text(text)
        path.chmod(0o600)
        if AS_POSTGRES:
            shutil.chown(path, "postgres", "postgres")


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

    def count(self, table):
        """Rows of a table; 0 while there is none."""
        if self.value(f"SELECT to_regclass('{table}') IS NULL") == "t":
            return 0
        return int(self.value(f"SELECT count(*) FROM {table}"))
