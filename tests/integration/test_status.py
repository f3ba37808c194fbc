"""What a running agent says of itself: `leat status`, and the same over HTTP on its socket."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness.collector import Answer
from harness.output import conforming
from harness.pipelines import file_source, http_sink, pipeline, quick_retry
from harness.ports import free_port
from harness.terminal import Terminal
from harness.waiting import wait_for


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("leat", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


@pytest.fixture
def socket_name(agent):
    """The agent's socket by a name short enough for connect(): through its open folder."""
    agent.data_dir.mkdir(mode=0o700)
    folder = os.open(agent.data_dir, os.O_PATH | os.O_DIRECTORY)
    yield f"/proc/self/fd/{folder}/leat.sock"
    os.close(folder)


@pytest.fixture
def ask(socket_name):
    def get(path, method="GET"):
        connection = UnixConnection(socket_name)
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    return get


def status(agent, *more):
    return agent.command("status", "--data-dir", str(agent.data_dir), *more)


def states(agent):
    done = status(agent, "--json")
    return {p["name"]: p for p in conforming(done.stdout, "status")["pipelines"]} if done.stdout else {}


def test_status_shows_each_pipeline_and_says_by_its_exit_code_whether_all_is_well(
        agent, collector, telemetry):
    agent.configure(pipeline(file_source(telemetry(500), follow=True), http_sink(collector)))
    agent.start()
    collector.wait_records(500)
    wait_for(lambda: states(agent)["p"]["records"]["waiting"] == 0)
    done = status(agent)
    assert done.returncode == 0, done.stderr
    head, columns, row = done.stdout.splitlines()
    assert head.startswith("leat ") and ", test, up " in head and f", {agent.config_path} of 20" in head
    assert columns.split() == ["PIPELINE", "STATE", "IN/s", "OUT/s", "WAITING", "SPOOL", "DEAD",
                               "LAST"]
    assert row.split()[:7] == ["p", "running", "0", "0", "0", "-", "0"]
    one = states(agent)["p"]
    assert one["state"] == "running"
    assert one["records"]["read"] == one["records"]["delivered"] == 500

    details = status(agent, "p")
    assert details.returncode == 0
    assert "\ndelivered" in details.stdout and " 500 (0/s)" in details.stdout
    stages = [line.split() for line in details.stdout.split("\nSTAGE ")[1].splitlines()[1:]]
    assert [[stage[0], stage[-5]] for stage in (stages[0], stages[-1])] == [["file", "500"],
                                                                           ["http", "500"]]

    unknown = status(agent, "q")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr == 'leat: no pipeline is called "q"\n'
    by_config = agent.command("status", "-c", str(agent.config_path), "--json")
    assert conforming(by_config.stdout, "status")["id"] == "test"


def test_a_sink_in_trouble_is_shown_with_its_reason(agent, ask, telemetry):
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    agent.configure(pipeline(file_source(telemetry(10), follow=True),
                             {"type": "http", "url": url}, delivery=quick_retry()))
    agent.start()
    wait_for(lambda: agent.data_dir.joinpath("leat.sock").exists())
    wait_for(lambda: states(agent).get("p", {}).get("state") in ("retrying", "circuit open"))
    wait_for(lambda: "nextAttemptSeconds" in states(agent)["p"])
    done = status(agent)
    assert done.returncode == 1
    assert f"\np: POST {url}: connect 127.0.0.1:{port}: connection refused" in done.stdout
    code, text = ask("/health")
    assert code == 503 and text.startswith("p: ")
    assert 'leat_sink_up{pipeline="p"} 0\n' in ask("/metrics")[1]


def test_a_kick_tries_a_sink_now_that_would_be_tried_much_later(agent, ask, collector, telemetry):
    collector.script(Answer(503))
    agent.configure(pipeline(file_source(telemetry(10), follow=True), http_sink(collector),
                             delivery={"retry": {"initial": "1h", "max": "1h"}}))
    agent.start()
    wait_for(lambda: states(agent).get("p", {}).get("nextAttemptSeconds", 0) > 1)
    assert ask("/api/v1/pipelines/p/kick", "POST") == (202, "p: kick\n")
    collector.wait_records(10)
    wait_for(lambda: states(agent)["p"]["state"] == "running")


def test_dead_letters_are_told_by_reason(agent, collector):
    log = agent.folder / "in.jsonl"
    log.write_text('{"seq":1}\n{"seq"\n{"seq":2}\n{"x\n', encoding="utf8")
    agent.configure(pipeline(file_source(log, follow=True), http_sink(collector)))
    agent.start()
    collector.wait_records(2)
    wait_for(lambda: states(agent)["p"]["records"]["deadLetters"] == 2)
    reasons = states(agent)["p"]["deadLetterReasons"]
    assert sum(one["count"] for one in reasons) == 2
    assert "p: dead letters since its start: " in status(agent).stdout
    assert "\ndead letters since its start\n  " in status(agent, "p").stdout


def test_without_an_agent_the_exit_code_is_3(agent):
    done = status(agent)
    assert done.returncode == 3
    assert done.stderr == f"leat: no agent runs with the data folder {agent.data_dir}\n"


def test_the_socket_goes_with_the_agent_and_one_left_behind_is_replaced(
        agent, collector, telemetry):
    agent.configure(pipeline(file_source(telemetry(10), follow=True), http_sink(collector)))
    agent.start()
    collector.wait_records(10)
    path = agent.data_dir / "leat.sock"
    assert path.stat().st_mode & 0o777 == 0o660
    agent.kill()
    assert path.exists()
    done = status(agent)
    assert done.returncode == 3
    assert "no agent runs" in done.stderr
    agent.start()
    wait_for(lambda: status(agent, "--json").returncode == 0)
    agent.terminate()
    assert agent.wait() == 0
    assert not path.exists()


def test_who_is_of_its_group_may_ask_and_nobody_else(agent, collector, telemetry, leat):
    """As the packages make the folder: 0750, of the agent's user and group."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)  # else nobody would come as far as the socket
        folder = Path(name) / "data"
        folder.mkdir(mode=0o750)
        os.chown(folder, -1, 12345)
        agent.configure(pipeline(file_source(telemetry(10), follow=True), http_sink(collector)), dataDir=str(folder))
        agent.start(wrap=("setpriv", "--regid=12345", "--clear-groups"))
        collector.wait_records(10)

        def asked(group):
            return subprocess.run(["setpriv", "--reuid=65534", f"--regid={group}", "--clear-groups", leat, "status",
                                   "--json", "--data-dir", folder], capture_output=True, text=True, check=False)
        socket_file = (folder / "leat.sock").stat()
        assert (socket_file.st_mode & 0o777, socket_file.st_gid) == (0o660, 12345)
        done = asked(12345)
        assert done.returncode == 0, done.stderr
        assert conforming(done.stdout, "status")["pipelines"][0]["state"] == "running"
        for mode in (0o750, 0o711):  # the folder's, and the socket's own
            folder.chmod(mode)
            done = asked(65534)
            assert done.returncode == 2 and "permission denied" in done.stderr.lower(), (oct(mode), done)
        agent.terminate()
        assert agent.wait() == 0


def test_the_socket_speaks_http(agent, ask, collector, telemetry):
    agent.configure(pipeline(file_source(telemetry(10), follow=True), http_sink(collector)))
    agent.start()
    collector.wait_records(10)
    wait_for(lambda: ask("/health") == (200, "ok\n"))
    assert ask("/ready") == (200, "ready\n")
    assert ask("/nothing")[0] == 404
    assert ask("/metrics", "POST")[0] == 405
    assert json.loads(ask("/api/v1/status?pipeline=p")[1])["pipelines"][0]["name"] == "p"


def test_one_pipeline_is_paused_resumed_and_restarted_while_the_other_goes_on(
        agent, make_collector, telemetry):
    logs = [agent.folder / "one.jsonl", agent.folder / "two.jsonl"]
    collectors = [make_collector(), make_collector()]
    for log in logs:
        log.touch()
    agent.configure(*(pipeline(file_source(log, follow=True), http_sink(collector))
                      for log, collector in zip(logs, collectors)))

    def tell(command, name):
        return agent.command(command, name, "--data-dir", str(agent.data_dir))

    def append(log, seq):
        with open(log, "a", encoding="utf8") as file:
            file.write(json.dumps({"seq": seq}) + "\n")

    agent.start()
    wait_for(lambda: states(agent).get("p", {}).get("state") == "running")
    assert tell("pause", "p").returncode == 0
    wait_for(lambda: states(agent)["p"]["state"] == "paused")
    for log in logs:
        append(log, 1)
    collectors[1].wait_records(1)
    again = tell("restart", "p")
    assert (again.returncode, again.stderr) == (2, "leat: p: is paused\n")
    assert collectors[0].records() == []
    assert tell("resume", "p").returncode == 0
    collectors[0].wait_records(1)
    assert tell("restart", "p").returncode == 0
    append(logs[0], 2)
    collectors[0].wait_records(2)
    wait_for(lambda: states(agent)["p"]["state"] == "running")
    unknown = tell("pause", "q")
    assert (unknown.returncode, unknown.stderr) == (2, 'leat: there is no pipeline "q"\n')
    assert agent.command("pause").returncode == 2
    agent.terminate()
    assert agent.wait() == 0
    assert [one["seq"] for one in collectors[0].records()] == [1, 2]
    assert [one["seq"] for one in collectors[1].records()] == [1]


def test_promtool_finds_nothing_to_say_of_the_metrics(agent, ask, collector, telemetry):
    if shutil.which("promtool") is None:
        pytest.skip("promtool (Debian's package prometheus) is not installed; .ci/run installs it")
    agent.configure(pipeline(file_source(telemetry(10), follow=True), http_sink(collector)))
    agent.start()
    collector.wait_records(10)
    text = ask("/metrics")[1]
    done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                          capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_counted_goes_on_over_a_restart_and_a_new_configuration(
        agent, ask, collector, telemetry):
    log = agent.folder / "in.jsonl"
    log.write_bytes(telemetry(100).read_bytes())
    agent.configure(pipeline(file_source(log, follow=True), http_sink(collector)))
    agent.start()
    collector.wait_records(100)
    delivered = 'leat_records_delivered_total{pipeline="p"} '
    wait_for(lambda: f"\n{delivered}100\n" in ask("/metrics")[1])
    agent.configure(pipeline(file_source(log, follow=True), http_sink(collector, records=7)))
    agent.send(signal.SIGHUP)
    agent.wait_log("configuration taken over: 1 pipeline .re.started")
    wait_for(lambda: states(agent)["p"]["state"] == "running")
    with open(log, "ab") as file:
        file.write(b'{"seq":101}\n')
    collector.wait_records(101)
    wait_for(lambda: f"\n{delivered}101\n" in ask("/metrics")[1])
    assert f"\nleat_delivery_latency_seconds_count{{pipeline=\"p\"}} 101\n" in ask("/metrics")[1]


def test_nothing_that_is_said_to_the_socket_holds_up_a_pipeline(
        agent, socket_name, collector, telemetry):
    """Garbage, requests that never end, answers that are not taken, and too many connections."""
    said = [b"GET /metrics HTTP/1.1\r\nHost:", b"\0\xff\x16garbage\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n",
            b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 50]
    log = agent.folder / "grows.jsonl"
    log.touch()
    agent.configure(pipeline(file_source(log, follow=True), http_sink(collector)))
    agent.start()
    wait_for(lambda: status(agent, "--json").returncode == 0)
    connections = []
    for n in range(300):
        one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        one.settimeout(20)
        wait_for(lambda: one.connect_ex(socket_name) == 0)
        try:
            one.sendall(said[n % len(said)])
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was one too many
        connections.append(one)
    log.write_bytes(telemetry(20_000).read_bytes())
    collector.wait_records(20_000)
    for one in connections:
        one.close()
    wait_for(lambda: status(agent, "--json").returncode == 0)


@pytest.mark.parametrize("head", [b"Content-Length: 100000000", b"Transfer-Encoding: chunked"], ids=["length", "chunked"])
def test_a_body_of_100_mb_is_refused_and_never_held(agent, socket_name, collector, telemetry, head,
                                                    sanitized):
    agent.configure(pipeline(file_source(telemetry(10), follow=True), http_sink(collector)))
    agent.start()
    collector.wait_records(10)
    before = agent.peak_rss_kib
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
        one.settimeout(20)
        one.connect(socket_name)
        one.sendall(b"PUT /api/v1/config HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")
        piece = b"x" * 100_000
        if head.startswith(b"Transfer"):
            piece = b"%x\r\n" % len(piece) + piece + b"\r\n"
        sent = 0
        try:
            while sent < 100_000_000:
                sent += one.send(piece[sent % len(piece):])
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has read long enough
        assert one.recv(65536).startswith(b"HTTP/1.1 413 ")
    assert sanitized or agent.peak_rss_kib - before < 4_096
    assert status(agent, "--json").returncode == 0


def test_a_command_with_closed_standard_streams_does_not_crash(agent, collector, telemetry, leat):
    agent.configure(pipeline(file_source(telemetry(1), follow=True), http_sink(collector)))
    agent.start()
    collector.wait_records(1)
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        done = subprocess.run(["sh", "-c", f'"$0" status -c "$1" {closed}', leat, agent.config_path],
                              capture_output=True, check=False)
        assert done.returncode == (1 if ">&-" in closed.split() else 0), (closed, done)


def test_a_folder_that_may_not_be_looked_into_is_said(agent, leat):
    agent.data_dir.mkdir(mode=0o700)
    done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", leat, "status", "--data-dir",
                           agent.data_dir], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "permission denied" in done.stderr.lower()


def test_a_mistake_in_a_pipeline_keeps_nobody_from_asking_the_agent(agent, collector, telemetry):
    agent.configure(pipeline(file_source(telemetry(10), follow=True), http_sink(collector)))
    agent.start()
    collector.wait_records(10)
    agent.write_config({"agent": {"dataDir": str(agent.data_dir)}, "pipelines": [{"sink": {"type": "nix"}}]})
    for command in (["status"], ["positions"], ["spool", "p"], ["kick", "p"]):
        done = agent.command(*command, "-c", agent.config_path)
        assert (done.returncode, done.stderr) == (0, ""), command
    agent.terminate()
    assert agent.wait() == 0
    done = agent.command("positions", "-c", agent.config_path)
    assert done.returncode == 0
    assert "what is configured is not known: leat check -c" in done.stderr
    done = agent.command("spool", "nix", "--data-dir", str(agent.data_dir))
    assert (done.returncode, done.stdout) == (2, "")
    assert 'leat: the journal knows no pipeline "nix"' in done.stderr


def test_watch_shows_on_a_terminal_what_changes(agent, collector, telemetry):
    log = agent.folder / "grows.jsonl"
    log.write_bytes(telemetry(10).read_bytes())
    agent.configure(pipeline(file_source(log, follow=True), http_sink(collector)))
    agent.start()
    collector.wait_records(10)
    with Terminal([agent.binary, "status", "--watch", "--data-dir", str(agent.data_dir)]) as terminal:
        agent.wait_for(lambda: "running" in terminal.screen())
        collector.decide = lambda request: Answer(503)
        with open(log, "ab") as file:
            file.write(telemetry(5).read_bytes())
        agent.wait_for(lambda: re.search("(retrying|circuit open).*503", terminal.screen(), re.DOTALL))
        agent.terminate()
        wait_for(lambda: "no agent runs" in terminal.screen())
        assert terminal.process.wait(timeout=20) == 3


def test_watching_into_a_pipe_brings_no_escapes_and_on_a_terminal_what_there_is_room_for(
        agent, collector, telemetry, spawn):
    names = [f"p{number}" for number in range(6)]
    agent.configure(*({**pipeline(file_source(telemetry(10), follow=True), http_sink(collector)), "name": name}
                      for name in names))
    agent.start()
    collector.wait_records(60)
    arguments = [agent.binary, "top", "--data-dir", str(agent.data_dir)]
    watching = spawn(arguments, stdout=subprocess.PIPE, text=True)
    text = ""
    while text.count("PIPELINE") < 2:
        text += watching.stdout.readline()
    assert "\x1b" not in text and "\n\nleat " in text

    with Terminal(arguments, rows=6, columns=40) as terminal:
        wait_for(lambda: terminal.screen().endswith("… 3 more lines"))
        lines = terminal.screen().splitlines()
        assert len(lines) == 6 and max(map(len, lines)) <= 40, lines
        terminal.resize(rows=5, columns=40)
        terminal.process.send_signal(signal.SIGWINCH)
        wait_for(lambda: terminal.screen().endswith("… 4 more lines"))
        assert len(terminal.screen().splitlines()) == 5
