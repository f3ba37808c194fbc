"""Fixtures of the black-box tests. The binary under test is $LEAT_BIN, by default build/host/leat.

See harness/: Agent (a leat process), HttpCollector (an HTTP server that misbehaves on request),
Nginx, Postgres, Certs, telemetry files, wait_for. All talk on loopback only, on ports that were free.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.register_assert_rewrite("harness", "faults")

from harness.agent import Agent  # noqa: E402
from harness.certs import Certs  # noqa: E402
from harness.collector import HttpCollector  # noqa: E402
from harness import mariadb, rabbitmq  # noqa: E402
from harness.mosquitto import Mosquitto  # noqa: E402
from harness.nginx import Nginx  # noqa: E402
from harness.postgres import Postgres, remove_template  # noqa: E402
from harness.relay import Relay  # noqa: E402
from harness.telemetry import write_telemetry  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))  # for faults/
from faults.other_clock import can_be_moved  # noqa: E402


@pytest.fixture(scope="session")
def leat():
    """Path of the binary under test."""
    path = Path(os.environ.get("LEAT_BIN", ROOT / "build" / "host" / "leat")).resolve()
    if not path.exists():
        pytest.exit(f"{path} does not exist: run scripts/build, or set LEAT_BIN", returncode=2)
    return path


@pytest.fixture(scope="session")
def sanitized(leat):
    """True when the memory use says nothing: built with a sanitizer, or run by an emulator, which
    a script does (scripts/test --target)."""
    content = leat.read_bytes()
    return content[:2] == b"#!" or b"__asan_init" in content or b"__tsan_init" in content


@pytest.fixture
def dynamic_binary(leat):
    """Skips the test for a binary that no library can be put before: a static or an emulated one."""
    if not can_be_moved(leat):
        pytest.skip("LD_PRELOAD needs a dynamically linked binary")


@pytest.fixture
def make_agent(leat, tmp_path):
    """make_agent(name="agent"): a new Agent in its own folder; killed at the end of the test."""
    agents = []

    def make(name="agent"):
        agents.append(Agent(leat, tmp_path / name))
        return agents[-1]

    yield make
    for agent in agents:
        agent.kill()


@pytest.fixture
def agent(make_agent):
    """One Agent (harness/agent.py)."""
    return make_agent()


@pytest.fixture
def spawn():
    """spawn(command, **how): a Popen; killed at the end of the test, also of one that fails."""
    processes = []

    def start(command, **how):
        processes.append(subprocess.Popen(command, **how))
        return processes[-1]

    yield start
    for process in processes:
        with process:  # closes its pipes and waits
            process.kill()


@pytest.fixture
def make_collector():
    """make_collector(ssl_context=None): a new HttpCollector; stopped at the end of the test."""
    collectors = []

    def make(**how):
        collectors.append(HttpCollector(**how))
        return collectors[-1]

    yield make
    for collector in collectors:
        collector.down()


@pytest.fixture
def collector(make_collector):
    """One HttpCollector (harness/collector.py) that answers 204."""
    return make_collector()


@pytest.fixture
def make_nginx(tmp_path):
    """make_nginx(cert=…, key=…, client_ca=…, upstream=…, location=…): a running Nginx."""
    servers = []

    def make(**how):
        servers.append(Nginx(tmp_path / f"nginx{len(servers)}", **how))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def nginx(make_nginx):
    """One Nginx (harness/nginx.py) that answers 204 over plain HTTP."""
    return make_nginx()


@pytest.fixture
def make_mosquitto(tmp_path):
    """make_mosquitto(cert=…, users=…, acl=…, …): a running Mosquitto."""
    brokers = []

    def make(**how):
        brokers.append(Mosquitto(tmp_path / f"mosquitto{len(brokers)}", **how))
        return brokers[-1]

    yield make
    for broker in brokers:
        broker.stop()


@pytest.fixture
def mosquitto(make_mosquitto):
    """One Mosquitto (harness/mosquitto.py) that lets anybody in."""
    return make_mosquitto()


@pytest.fixture(scope="session")
def _postgres_template():
    yield
    remove_template()


@pytest.fixture(scope="session")
def postgres(_postgres_template):
    """One Postgres (harness/postgres.py) for the session; a test takes a `database` of it."""
    server = Postgres()
    yield server
    server.close()


@pytest.fixture
def database(postgres):
    """A new, empty Database of the session's server, for tests that let the server run."""
    return postgres.database("test")


@pytest.fixture
def make_relay(database):
    """make_relay(cuts=5): between the agent and the server of `database`."""
    relays = []

    def make(**how):
        relays.append(Relay(database.server.port, **how))
        return relays[-1]

    yield make
    for relay in relays:
        relay.close()


@pytest.fixture
def make_postgres(_postgres_template):
    """make_postgres(ssl=…, client_ca=…, …): a Postgres of the test's own, to stop and to kill."""
    servers = []

    def make(**how):
        servers.append(Postgres(**how))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def _mariadb_template():
    if mariadb.SERVER is None:
        pytest.skip("there is no mariadbd: scripts/setup --databases installs it")
    yield
    mariadb.remove_template()


@pytest.fixture(scope="session")
def mariadb_server(_mariadb_template):
    """One Mariadb (harness/mariadb.py) for the session; a test takes a `mysql_database` of it."""
    server = mariadb.Mariadb()
    yield server
    server.close()


@pytest.fixture
def can_mysql(agent):
    if "was left out of this build" in agent.command("help", "mysql").stdout + agent.command("help", "mysql").stderr:
        pytest.skip("this build has no mysql")


@pytest.fixture
def mysql_database(mariadb_server):
    """A new, empty Database of the session's server, for tests that let the server run."""
    return mariadb_server.database("test")


@pytest.fixture
def make_mariadb(_mariadb_template):
    """make_mariadb(ssl=…, client_ca=…, …): a Mariadb of the test's own, to stop and to kill."""
    servers = []

    def make(**how):
        servers.append(mariadb.Mariadb(**how))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def rabbitmq_broker():
    """One RabbitMq (harness/rabbitmq.py) for the session, whose start takes seconds: what a test makes there
    has a name of its own, and is made anew."""
    if rabbitmq.MISSING:
        pytest.skip(rabbitmq.MISSING)
    broker = rabbitmq.RabbitMq()
    yield broker
    broker.close()


@pytest.fixture
def make_rabbitmq():
    """make_rabbitmq(ssl=…, client_ca=…, …): a RabbitMq of the test's own, to stop and to kill."""
    if rabbitmq.MISSING:
        pytest.skip(rabbitmq.MISSING)
    brokers = []

    def make(**how):
        brokers.append(rabbitmq.RabbitMq(**how))
        return brokers[-1]

    yield make
    for broker in brokers:
        broker.close()


@pytest.fixture
def rabbitmq_cluster():
    """A Cluster (harness/rabbitmq.py) of three nodes."""
    if rabbitmq.MISSING:
        pytest.skip(rabbitmq.MISSING)
    cluster = rabbitmq.Cluster()
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    """Certs (harness/certs.py): a small PKI, made once per session."""
    return Certs(tmp_path_factory.mktemp("certs"))


@pytest.fixture(scope="session")
def telemetry(tmp_path_factory):
    """telemetry(records, seed=1): path of a telemetry file, made once per session. Do not write."""
    folder = tmp_path_factory.mktemp("telemetry")

    def make(records, seed=1):
        path = folder / f"{records}-{seed}.jsonl"
        return path if path.exists() else write_telemetry(path, records, seed)

    return make
