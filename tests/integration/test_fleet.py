"""leat-fleet against real agents behind a real broker."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from harness.mosquitto import Mosquitto
from harness.nginx import Nginx
from harness.ports import free_port
from harness.waiting import wait_for

# The roll-out to 500 takes minutes of CPU: LEAT_FLEET_AGENTS=500.
AGENTS = int(os.environ.get("LEAT_FLEET_AGENTS", "12"))
SECRET = "fleet-secret-" + "x" * 40


@pytest.fixture(scope="session")
def fleet_binary(leat, sanitized):
    if sanitized:
        pytest.skip("a dozen agents under a sanitizer, and a library of which nothing is known there")
    path = Path(leat).parent / "leat-fleet"
    if not path.exists():
        pytest.skip("leat-fleet is not part of this build")
    return path


class Fleet:
    """Some agents of one group, with a key each knows, and the desk's program."""

    def __init__(self, leat, program, folder):
        self.leat, self.program, self.folder = leat, program, folder
        self.broker = Mosquitto(folder / "broker", max_queued_messages=0)
        self.nginx = Nginx(folder / "nginx")
        self.key = folder / "fleet.key"
        self.key.write_text(SECRET + "\n")
        self.dead_port = free_port()
        self.processes = {}

    def config(self, sink, **pipeline):
        return {
            "agent": {"id": "${env:GATEWAY}", "dataDir": "${env:GATEWAY_DIR}", "probation": "3s",
                      "control": {"url": self.broker.url, "groups": ["site"],
                                  "keys": [{"id": "fleet", "algorithm": "HS256",
                                            "secret": f"${{file:{self.key}}}",
                                            "role": "configure"}]}},
            "pipelines": [{"name": "p", "source": {"type": "generator", "rate": 2}, "sink": sink,
                           **pipeline}]}

    def first(self):
        """What all run at the start, and deliver with."""
        return self.config({"type": "http", "url": self.nginx.url, "format": "ndjson"})

    def second(self):
        """The same to where each one's ${env:PORT} leads."""
        return self.config({"type": "http", "url": "http://127.0.0.1:${env:PORT}/second",
                            "format": "ndjson"})

    def start(self, name, fails=False):
        folder = self.folder / name
        folder.mkdir()
        (folder / "leat.json").write_text(json.dumps(self.first()))
        port = self.dead_port if fails else self.nginx.port
        env = {**os.environ, "GATEWAY": name, "GATEWAY_DIR": str(folder / "data"), "PORT": str(port)}
        with open(folder / "log", "wb") as log:
            self.processes[name] = subprocess.Popen(
                [self.leat, "run", "-c", folder / "leat.json"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=env)

    def stop(self):
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait(30)
        self.broker.stop()
        self.nginx.stop()

    def command(self, *words):
        connection = ("--broker", self.broker.url, "--key", self.key, "--kid", "fleet")
        return [str(word) for word in (self.program, *connection, *words)]

    def run(self, *words, deadline=600):
        return subprocess.run(self.command(*words), cwd=self.folder, capture_output=True, text=True,
                              timeout=deadline, check=False)

    def online(self):
        done = self.run("list", "--json")
        return {one["id"] for one in map(json.loads, done.stdout.splitlines()) if one["online"]}

    def wait_online(self, names):
        wait_for(lambda: self.online() == set(names), 300, what=f"{len(names)} gateways online")

    def wait_delivering(self, names):
        """A configuration is only given back by what delivered before."""
        def counted():
            done = self.run("exec", "status", "--group", "site")
            lines = [json.loads(line) for line in done.stdout.splitlines()]
            return {one["gateway"] for one in lines if one["state"] == "succeeded" and
                    one["result"]["pipelines"][0]["records"]["delivered"] > 0}
        wait_for(lambda: counted() == set(names), 300, what="all deliver")

    def write(self, name, config):
        path = self.folder / name
        path.write_text(json.dumps(config))
        return path

    def second_requests(self):
        return [one for one in self.nginx.requests if one["uri"] == "/second"]


@pytest.fixture
def fleet(leat, fleet_binary, tmp_path):
    out = Fleet(leat, fleet_binary, tmp_path)
    yield out
    out.stop()


def table(done):
    """{gateway: [step, state…]} of what a roll-out ends with."""
    lines = done.stdout.splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("GATEWAY"))
    return {words[0]: words[1:] for words in map(str.split, lines[begin + 1:])
            if words and words[0].startswith("gw-")}


def names(count):
    return [f"gw-{i:03}" for i in range(count)]


def test_list_shows_who_is_there_and_exec_asks_them(fleet):
    for name in names(3):
        fleet.start(name)
    fleet.wait_online(names(3))
    done = fleet.run("list", "--group", "site")
    assert done.returncode == 0, done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:]] == [[n, "yes"] for n in names(3)]
    done = fleet.run("exec", "ping", "--to", "gw-000", "gw-002")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {json.loads(line)["gateway"] for line in done.stdout.splitlines()} == {"gw-000", "gw-002"}
    done = fleet.run("exec", "pipeline.pause", "-a", '{"pipeline":"none"}', "--group", "site")
    assert done.returncode == 1
    assert all(json.loads(line)["state"] == "failed" for line in done.stdout.splitlines())
    fleet.processes["gw-001"].kill()
    wait_for(lambda: fleet.run("list", "--trouble").stdout.count("gw-") == 1, 60,
             what="the will says that one is away")
    assert fleet.run("list").returncode == 1


def test_who_has_no_key_or_another_one_is_not_heard(fleet):
    fleet.start("gw-000")
    fleet.wait_online(["gw-000"])
    fleet.key.write_text("another-secret-" + "y" * 40)
    done = fleet.run("exec", "ping", "--group", "site", "--patience", "2s")
    assert done.returncode == 1
    assert json.loads(done.stdout)["state"] == "no answer"


def test_a_dry_run_collects_what_gateways_find_wrong(fleet):
    for name in names(2):
        fleet.start(name)
    fleet.wait_online(names(2))
    wrong = fleet.first()
    wrong["pipelines"][0]["sink"]["type"] = "htp"
    done = fleet.run("rollout", "--config", fleet.write("wrong.json", wrong), "--group", "site",
                     "--dry-run")
    assert done.returncode == 1
    assert done.stdout.count("pipelines") == 2, done.stdout  # the path of the mistake, of each
    assert "0 gateways would take it, 2 would not" in done.stdout
    done = fleet.run("rollout", "--config", fleet.write("second.json", fleet.second()),
                     "--group", "site", "--dry-run")
    assert done.returncode == 0, done.stdout
    assert not fleet.second_requests()


def test_a_roll_out_stops_at_its_limit_and_goes_on_when_told(fleet, spawn):
    """3 % of the gateways cannot deliver with the new configuration, and give it back by themselves;
    the roll-out is killed in the middle, goes on, stops at its limit, and goes on with a higher one."""
    everybody = names(AGENTS)
    failing = set(everybody[AGENTS // 2::max(AGENTS // 33, 33)][:max(AGENTS * 3 // 100, 1)])
    for name in everybody:
        fleet.start(name, fails=name in failing)
    fleet.wait_online(everybody)
    fleet.wait_delivering(everybody)
    path = fleet.write("second.json", fleet.second())
    words = ["rollout", "--config", path, "--group", "site", "--canary", 1, "--step", "25%",
             "--wait", "1s", "--patience", "5m", "--state", fleet.folder / "state.json"]

    killed = spawn(fleet.command(*words, "--max-failures", 0), cwd=fleet.folder,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in killed.stderr:
        if line.startswith("step 2"):
            break
    else:
        pytest.fail("it ended before its second step")
    killed.send_signal(signal.SIGKILL)
    killed.wait(30)

    stopped = fleet.run(*words, "--max-failures", 0)
    assert stopped.returncode == 1, stopped.stdout + stopped.stderr
    assert "stopped: " in stopped.stdout
    states = table(stopped)
    assert set(states) == set(everybody)
    assert any(state[1] == "rolled" for state in states.values()), stopped.stdout
    assert any(state[1] == "waiting" for state in states.values()), stopped.stdout

    done = fleet.run(*words, "--max-failures", AGENTS)
    states = table(done)
    assert done.returncode == 1  # not all
    assert {name for name, state in states.items() if state[1] == "succeeded"} \
        == set(everybody) - failing, done.stdout
    assert {name for name, state in states.items() if state[1] == "rolled"} == failing, done.stdout
    # Those who gave it back do what they did before.
    fleet.wait_online(everybody)
    listed = fleet.run("exec", "config.get", *[word for name in failing for word in ("--to", name)])
    assert listed.returncode == 0 and len(listed.stdout.splitlines()) == len(failing)
    for line in listed.stdout.splitlines():
        assert "/second" not in json.dumps(json.loads(line)["result"]), line
