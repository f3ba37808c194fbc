"""Configurations that come while the agent runs: versions, probation, and the way back."""

import http.client
import json
import os
import random
import re
import shutil
import signal
import threading
import time

import pytest

from harness.output import conforming
from harness.pipelines import file_source, http_sink, pipeline, quick_retry
from harness.ports import free_port
from harness.telemetry import expect_each_once
from harness.unix_http import UnixHttp
from harness.waiting import wait_for


def leat(agent, *words):
    return agent.command(*words, "--data-dir", str(agent.data_dir))


def history(agent):
    return conforming(leat(agent, "config", "history", "--json").stdout, "configHistory")["versions"]


def states(agent):
    return {one["version"]: one["state"] for one in history(agent)}


def to_nobody():
    return {"type": "http", "url": f"http://127.0.0.1:{free_port()}/", "format": "ndjson"}


def write_other(agent, *pipelines, **agent_options):
    """Another configuration, in a file of its own."""
    kept = agent.config_path.read_text()
    path = agent.folder / "other.json"
    path.write_text(agent.configure(*pipelines, **agent_options).read_text())
    agent.config_path.write_text(kept)
    return path


@pytest.fixture
def followed(agent, telemetry):
    """A file of 10 records that may be written to."""
    return shutil.copy(telemetry(10), agent.folder / "telemetry.jsonl")


def append(path, *seqs):
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(json.dumps({"seq": n}) + "\n" for n in seqs)


def seqs(collector):
    return [record["seq"] for record in collector.records()]


@pytest.fixture
def running(agent, collector, followed):
    """An agent that has delivered 10 records of a file that it follows."""
    agent.configure(pipeline(file_source(followed, follow=True), http_sink(collector)),
                    probation="1s")
    agent.start()
    collector.wait_records(10)
    return agent


def with_limit(agent, n, **agent_options):
    """What runs, with one pipeline changed so that it is started anew, and does as it did."""
    one = json.loads(agent.config_path.read_text())["pipelines"][0]
    return write_other(agent, {**one, "limits": {"recordsPerSecond": 1000 + n}},
                       **{"probation": "1s", **agent_options})


def test_another_configuration_is_good_when_it_has_done_for_a_while(running):
    done = leat(running, "config", "apply", with_limit(running, 1), "--wait")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"version 2 runs: probation, .* left\nversion 2: good\n", done.stdout)
    assert states(running) == {1: "good", 2: "good"}
    assert [one["runs"] for one in history(running)] == [True, False]
    assert leat(running, "config", "diff", "1", "2").stdout == (
        "- pipelines[p].limits.recordsPerSecond: 0\n+ pipelines[p].limits.recordsPerSecond: 1001\n")
    status = conforming(leat(running, "status", "--json").stdout, "status")
    assert status["config"] == {"version": 2, "origin": "remote", "author": "over leat.sock",
                                "probation": False}
    assert leat(running, "config", "rollback", "--wait").returncode == 0
    assert leat(running, "config", "diff", "1", "3").stdout.startswith("they mean the same")


def test_one_whose_sink_takes_nothing_is_taken_back_and_no_record_is_lost(
        running, collector, followed):
    bad = write_other(running, pipeline(file_source(followed, follow=True), to_nobody(),
                                        delivery=quick_retry()), probation="1s")
    applied = leat(running, "config", "apply", bad)
    assert applied.returncode == 0, applied.stderr
    append(followed, *range(10, 20))
    running.wait_log("configuration version 2 is taken back, version 1 runs again: "
                     "p delivered before, and delivers nothing now")
    collector.wait_records(20)
    expect_each_once(seqs(collector), 20)
    assert states(running) == {1: "good", 2: "rolledBack"}
    reasons = [one.get("reason", "") for one in history(running)]
    assert "connection refused" in reasons[0]


def test_what_is_wrong_in_it_is_said_and_changes_nothing(running):
    bad = running.folder / "bad.json"
    bad.write_text('{"pipelines": [{"name": "p", "source": {"type": "fiel"}}]}')
    done = leat(running, "config", "apply", bad)
    assert done.returncode == 2
    assert "pipelines[0].source.type" in done.stderr and "did you mean \"file\"?" in done.stderr
    assert "pipelines[0].sink: missing" in done.stderr
    assert states(running) == {1: "good"}


def test_the_process_dies_meanwhile_and_the_old_one_returns(agent, collector, followed):
    # How long a probation lasts the last good version says, which is this one all the time.
    agent.configure(pipeline(file_source(followed, follow=True), http_sink(collector)),
                    probation="1h")
    running = agent.start()
    collector.wait_records(10)
    applied = leat(running, "config", "apply", with_limit(running, 1))
    assert applied.returncode == 0, applied.stderr
    leat(running, "config", "apply", with_limit(running, 2))
    assert states(running)[3] == "probation"
    running.kill()
    running.start()
    running.wait_log("configuration version 3 is taken back: the agent died")
    wait_for(lambda: states(running) == {1: "good", 2: "replaced", 3: "rolledBack"},
             what="the version is taken back")
    assert json.loads(leat(running, "config", "show", "1").stdout)["agent"]["probation"] == "1h"


def test_what_came_from_afar_survives_a_restart_until_the_file_changes(running):
    leat(running, "config", "apply", with_limit(running, 1), "--wait")
    running.terminate()
    assert running.wait() == 0
    running.start()
    running.wait_log("configuration version 2 runs, from over leat.sock: the file is older")
    running.config_path.write_text(running.config_path.read_text() + "\n")
    running.terminate()
    assert running.wait() == 0
    running.start()
    running.wait_for(lambda: can_be_asked(running), what="it can be asked")
    assert [one["origin"] for one in history(running) if one["runs"]] == ["file"]


def test_in_the_place_of_a_file_that_was_written_half_the_last_good_one_runs(running, collector,
                                                                            followed):
    assert leat(running, "config", "apply", with_limit(running, 1), "--wait").returncode == 0
    running.terminate()
    assert running.wait() == 0
    whole = running.config_path.read_text()
    running.config_path.write_text(whole[:len(whole) // 2])
    running.start()
    running.wait_log("the file cannot be used, configuration version 2 runs, from over leat.sock")
    append(followed, 10)
    collector.wait_records(11)
    shown = leat(running, "status", "--json")
    assert shown.returncode == 1, "that is trouble"
    status = conforming(shown.stdout, "status")
    assert "the file cannot be used" in status["config"]["trouble"]
    running.config_path.write_text(whole)
    running.send(signal.SIGHUP)
    running.wait_for(lambda: leat(running, "status").returncode == 0)
    running.terminate()
    assert running.wait() == 0


def test_without_an_earlier_one_such_a_file_is_an_error(agent, collector, telemetry):
    agent.configure(pipeline(file_source(telemetry(10)), http_sink(collector)))
    assert agent.run() == 0
    agent.config_path.write_text(agent.config_path.read_text()[:-20])
    assert agent.run() == 2
    assert len(collector.records()) == 10


def test_versions_are_shown_and_chosen_while_no_agent_runs(running):
    assert leat(running, "config", "apply", with_limit(running, 1), "--wait").returncode == 0
    running.terminate()
    assert running.wait() == 0
    assert states(running) == {1: "good", 2: "good"}
    shown = leat(running, "config", "show", "2")
    assert json.loads(shown.stdout)["pipelines"][0]["limits"]["recordsPerSecond"] == 1001
    assert "no agent runs here" in shown.stderr
    assert leat(running, "config", "diff", "1", "2").stdout == (
        "- pipelines[p].limits.recordsPerSecond: 0\n+ pipelines[p].limits.recordsPerSecond: 1001\n")
    assert leat(running, "config", "show", "7").returncode == 2
    back = leat(running, "config", "rollback")
    assert back.returncode == 0, back.stderr
    assert back.stdout.startswith("version 3 runs when the agent starts next, on probation")
    running.start()
    running.wait_log("configuration version 3 runs")  # and it can be asked
    running.wait_for(lambda: states(running)[3] == "good")
    assert history(running)[0]["author"] == "leat config rollback, back to version 1"
    assert leat(running, "config", "diff", "1", "3").stdout.startswith("they mean the same")
    running.terminate()
    assert running.wait() == 0


class SteadyWriter(threading.Thread):
    """Appends records to a file, so many a second, until it is told to end."""

    def __init__(self, path, a_second):
        super().__init__()
        self.path, self.a_second = path, a_second
        self.written = 0
        self.ends = threading.Event()

    def run(self):
        step = self.a_second // 100
        begun = time.monotonic()
        with open(self.path, "a", encoding="utf-8") as file:
            while not self.ends.is_set():
                file.writelines(f'{{"seq":{n}}}\n' for n in range(self.written, self.written + step))
                file.flush()
                self.written += step
                self.ends.wait(max(0.0, begun + self.written / self.a_second - time.monotonic()))


def test_a_pipeline_loses_and_repeats_nothing_while_its_neighbours_change(
        agent, collector, followed):
    """LEAT_APPLIES=200 for as many changes as the promise speaks of."""
    source, out = agent.folder / "input.jsonl", agent.folder / "out.jsonl"
    source.touch()
    steady = {"name": "steady", **pipeline(file_source(source, follow=True),
                                           {"type": "file", "path": str(out), "format": "ndjson"})}

    def neighbours(n):
        return [{"name": f"n{i}", **pipeline(file_source(followed, follow=True),
                                             http_sink(collector),
                                             limits={"recordsPerSecond": 1000 + n})}
                for i in range(1 + n % 2)]
    agent.configure(steady, *neighbours(0), probation="0s")
    agent.start()
    collector.wait_records(10)
    writer = SteadyWriter(source, 20_000)
    writer.start()
    try:
        for n in range(1, int(os.environ.get("LEAT_APPLIES", "5")) + 1):
            other = write_other(agent, steady, *neighbours(n), probation="0s")
            done = leat(agent, "config", "apply", "--json", other)
            assert done.returncode == 0, done.stderr
            assert "steady" in json.loads(done.stdout)["kept"]
    finally:
        writer.ends.set()
        writer.join()
    def delivered():
        shown = json.loads(leat(agent, "status", "--json", "steady").stdout)
        return shown["pipelines"][0]["records"]["delivered"]
    agent.wait_for(lambda: delivered() >= writer.written)
    agent.terminate()
    assert agent.wait() == 0
    assert [json.loads(line)["seq"] for line in out.read_bytes().splitlines()] == list(
        range(writer.written))


def test_over_tcp_it_needs_a_token_and_a_body_without_end_is_refused(agent, collector, telemetry):
    token = "0123456789abcdef"
    port = free_port()
    admin = {"listen": f"127.0.0.1:{port}", "tokens": [token]}
    agent.configure(pipeline(file_source(telemetry(10), follow=True), http_sink(collector)),
                    probation="1s", admin=admin)
    agent.start()
    collector.wait_records(10)

    def put(body, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("PUT", "/api/v1/config", body, headers)
        response = connection.getresponse()
        return response.status, response.read().decode()

    bearer = {"Authorization": f"Bearer {token}"}
    text = with_limit(agent, 1, admin=admin).read_text()
    assert put(text)[0] == 401
    assert put("{", **bearer)[0] == 422
    status, body = put(text, **bearer)
    assert status == 202 and json.loads(body)["changed"] == ["p"]
    wait_for(lambda: states(agent).get(2) == "good", what="its probation is over")
    text = with_limit(agent, 2, admin={"listen": f"127.0.0.1:{port}", "tokens": [token[::-1]]})
    assert put(text.read_text(), **bearer)[0] == 202

    def refused():
        try:
            return put("{", **bearer)[0] == 401
        except (ConnectionError, http.client.HTTPException):
            return False  # one listener gives way to the next
    agent.wait_for(refused, what="the new token counts")
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        status, _ = put(b"x" * 100_000_000, Authorization=f"Bearer {token[::-1]}")
        raise ConnectionError(status)
    assert agent.running()


def test_a_file_that_makes_a_pipeline_fail_is_taken_back_after_sighup(running, collector):
    one = json.loads(running.config_path.read_text())["pipelines"][0]
    running.configure(one, {"name": "q", "source": {"type": "file", "path": "/nowhere/at/all",
                                                    "format": "json", "follow": False},
                            "sink": http_sink(collector)}, probation="1h")
    running.send(signal.SIGHUP)
    running.wait_log("configuration version 2 is taken back, version 1 runs again: q failed: ")
    wait_for(lambda: states(running) == {1: "good", 2: "rolledBack"}, what="it is taken back")
    assert running.running()


def asked(agent, method, target, body=None):
    """Sends a request over the socket; who wants its answer reads it from what is given."""
    connection = UnixHttp(agent.data_dir / "leat.sock")
    connection.request(method, target, body)
    return connection


def can_be_asked(agent):
    try:
        return asked(agent, "GET", "/ready").getresponse().status == 200
    except OSError:
        return False


DEATHS = int(os.environ.get("LEAT_DEATHS", "10"))


def test_the_old_or_the_new_one_runs_after_a_death_at_any_moment(running, collector, followed):
    seed = int(os.environ.get("LEAT_SEED", random.randrange(1 << 30)))
    chance = random.Random(seed)
    for n in range(DEATHS):
        other = with_limit(running, n, probation="1h")
        begun = time.monotonic()
        asked(running, "PUT", "/api/v1/config", other.read_text()).getresponse().read()
        took = time.monotonic() - begun
        running.kill()
        running.start()
        running.wait_for(lambda: can_be_asked(running), what=f"it can be asked (seed {seed})")
        # In the middle of it: nobody waits for the answer.
        asked(running, "PUT", "/api/v1/config", other.read_text())
        time.sleep(chance.random() * took * 1.2)
        running.kill()
        running.start()
        running.wait_for(lambda: can_be_asked(running), what=f"it can be asked (seed {seed})")
        versions = history(running)
        assert [one["state"] for one in versions if one["runs"]] == ["good"], (seed, versions)
        assert "probation" not in states(running).values(), (seed, versions)
        append(followed, 10 + n)
        wait_for(lambda n=n: 10 + n in seqs(collector), what=f"record {10 + n} (seed {seed})")
