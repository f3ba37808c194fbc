"""`agent.control`: signed commands over a real broker, and what comes of them."""

import json
import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from faults.other_clock import OtherClock
from harness.desk import Desk
from harness.every_command import EveryCommand, table
from harness.mosquitto import Mosquitto
from harness.output import conforming
from harness.pipelines import file_source, http_sink, pipeline
from harness.ports import free_port
from harness.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"eye": "e" * 32, "ops": "o" * 32, "fleet": "f" * 32}
ROLES = {"eye": "read", "ops": "operate", "fleet": "configure"}


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    made = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    yield made
    made.stop()


@pytest.fixture
def control(broker, request):
    """What stands in agent.control; each test has topics of its own."""
    keys = [{"id": id, "secret": secret, "role": ROLES[id]} for id, secret in KEYS.items()]
    return {"url": broker.url, "prefix": "t" + str(abs(hash(request.node.name)) % 10**9),
            "groups": ["site-a"], "keys": keys}


@pytest.fixture
def desk(broker, control, agent):
    agent.configure(control=control)
    if "is not in this build" in agent.command("check", "-c", str(agent.config_path)).stderr:
        pytest.skip("agent.control is not in this build")
    with Desk(broker, KEYS, prefix=control["prefix"]) as made:
        yield made


@pytest.fixture
def followed(agent):
    path = agent.folder / "grows.jsonl"
    path.touch()
    return path


def append(path, *seqs):
    with open(path, "a", encoding="utf8") as file:
        for seq in seqs:
            file.write(json.dumps({"seq": seq}) + "\n")


def seqs(collector):
    return sorted(record["seq"] for record in collector.records())


@pytest.fixture
def probation():
    return "2s"


@pytest.fixture
def running(agent, collector, followed, desk, control, probation):
    """An agent that has delivered record 0, and can be commanded."""
    append(followed, 0)
    agent.configure(pipeline(file_source(followed, follow=True), http_sink(collector)),
                    control=control, probation=probation)
    agent.start()
    collector.wait_records(1)
    desk.wait_status(lambda status: status["online"])
    return agent


def config_of(agent):
    return json.loads(agent.config_path.read_text())


class DeskWay:
    """Commands over the control topic, each with a key of the role that it needs (harness/every_command.py)."""

    KEY = {role: key for key, role in ROLES.items()}

    def __init__(self, desk):
        self.desk = desk

    def ask(self, command, arguments):
        ends = command == "shutdown"  # and says no more
        answer = self.desk.ask(command, arguments, final=not ends, key=self.KEY[table()[command]])
        assert answer["state"] == ("running" if ends else "succeeded"), answer
        return answer.get("result", answer.get("text"))

    change = ask  # answered at the end of the probation

    def tap(self, arguments, feed):
        id = self.desk.send("tap", {**arguments, "seconds": 60, "records": 1}, key="eye")

        def tapped():
            feed()
            return self.desk.answer(id)
        return wait_for(tapped)["result"][0]


def test_each_command_of_the_table_does_what_it_says(agent, collector, desk, control, probation):
    every = EveryCommand(agent, collector)
    try:
        agent.configure(*every.pipelines, control=control, probation=probation)
        agent.start()
        desk.wait_status(lambda status: status["online"])
        every.drive(DeskWay(desk))
        every.check()
        desk.wait_status(lambda status: not status["online"])
    finally:
        every.close()
    page = (ROOT / "agent/control/CONTROL_TOPIC.md").read_text()
    assert not [name for name in table() if f"`{name}`" not in page]


def test_a_configuration_with_errors_comes_back_as_data(running, desk):
    wrong = config_of(running)
    sink = wrong["pipelines"][0]["sink"]
    sink["ulr"] = sink.pop("url")
    for command in ("config.check", "config.set"):
        error = desk.ask(command, {"config": wrong})["error"]
        assert error["code"] == "badRequest"
        assert ("pipelines[0].sink.ulr", "unknownKey", "url") in [
            (one["path"], one["kind"], one.get("suggestion")) for one in error["problems"]]
    assert desk.ask("config.history")["result"]["versions"][0]["version"] == 1


def test_one_that_delivers_to_nowhere_is_taken_back_and_no_record_is_lost(
        running, collector, followed, desk):
    wrong = config_of(running)
    wrong["pipelines"][0]["sink"]["url"] = f"http://127.0.0.1:{free_port()}/nobody"
    id = desk.send("config.set", {"config": wrong})
    desk.wait_state(id, "running")
    append(followed, 1, 2, 3)
    answer = wait_for(lambda: desk.answer(id))
    assert answer["state"] == "rolledBack", answer
    assert "delivers nothing now" in answer["text"]
    desk.wait_state(id, "rolledBack")
    wait_for(lambda: set(seqs(collector)) == {0, 1, 2, 3}, what="all is delivered")
    desk.wait_status(lambda status: status["config"]["version"] == 1)


def test_one_that_cuts_the_agent_from_its_broker_is_taken_back(running, desk):
    wrong = config_of(running)
    wrong["agent"]["control"]["url"] = f"mqtt://127.0.0.1:{free_port()}"
    id = desk.send("config.set", {"config": wrong})
    desk.wait_status(lambda status: not status["online"])
    answer = wait_for(lambda: desk.answer(id))
    assert answer["state"] == "rolledBack", answer
    assert "the connection of agent.control is away" in answer["text"]
    assert desk.ask("ping")["state"] == "succeeded"


def test_one_that_takes_the_control_topic_out_is_taken_back_at_once(running, desk):
    wrong = config_of(running)
    del wrong["agent"]["control"]
    id = desk.send("config.set", {"config": wrong})
    answer = wait_for(lambda: desk.answer(id))
    assert answer["state"] == "rolledBack", answer


def test_what_is_replayed_truncated_or_too_large_does_nothing(running, desk, broker):
    pause = desk.signed("pipeline.pause", {"pipeline": "p"}, id="first")
    resume = desk.signed("pipeline.resume", {"pipeline": "p"}, id="second")
    desk.publish(pause)
    desk.publish(resume)
    wait_for(lambda: desk.answer("second"))
    for _ in range(3):
        desk.publish(pause)  # an attacker saw it: it is known
    desk.publish(desk.signed("pipeline.pause", {"pipeline": "p"}, id="third", counter=1))
    head, body, signature = resume.split(b".")
    for bad in (pause[:-1], pause[:40], b".", b"{}", head + b"." + body, head + b"." + body + b".",
                pause.split(b".")[0] + b"." + body + b"." + pause.split(b".")[2],
                desk.signed("pipeline.pause", {"pipeline": "p"}, to="another")):
        desk.publish(bad)
    large = running.folder / "large"
    large.write_bytes(b"x" * 100_000_000)
    subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "-q", "1",
                    "-t", f"{desk.prefix}/test/cmd", "-f", str(large)], check=True, timeout=60)
    assert desk.ask("ping")["state"] == "succeeded"
    assert wait_for(lambda: desk.answer("third"))["error"]["code"] == "forbidden"
    assert [one["state"] for one in desk.answers("first")] == ["succeeded"] * 4
    assert desk.ask("status")["result"]["pipelines"][0]["state"] == "running"
    running.wait_log("control: .*refused")
    shown = running.command("status", "-c", str(running.config_path), "--json")
    told = conforming(shown.stdout, "status")["control"]
    refused = {one["reason"]: one["count"] for one in told["refusals"]}
    assert told["connected"]
    assert refused.pop("malformed") >= 2 and refused.pop("bad signature") >= 2, refused
    assert refused == {"oversized": 1, "replayed": 1, "other addressee": 1}


def test_two_at_once_and_one_id_twice(running, desk):
    ids = [desk.next_id() for _ in range(10)]
    messages = [desk.signed("pipeline.restart", {"pipeline": "p"}, id=id) for id in ids]
    for message in messages + messages:
        desk.publish(message)
    for id in ids:
        wait_for(lambda id=id: len(desk.answers(id)) == 2 and desk.answer(id),
                 what="both are answered")
        # The second may come while the first is under way.
        assert {one["state"] for one in desk.answers(id)} <= {"running", "succeeded"}
    assert running.log.count("told to restart") == 10


def test_what_was_sent_while_it_was_away_is_done_when_it_returns(running, desk):
    running.terminate()
    assert running.wait() == 0
    desk.wait_status(lambda status: not status["online"])
    id = desk.send("pipeline.pause", {"pipeline": "p"})
    running.start()
    assert wait_for(lambda: desk.answer(id))["state"] == "succeeded"
    desk.wait_status(lambda status: status["pipelines"][0]["state"] == "paused")


@pytest.mark.parametrize("probation", ["1h"])
def test_a_kill_in_the_middle_of_a_probation_is_told_of_afterwards(running, desk):
    id = desk.send("config.set", {"config": {**config_of(running), "pipelines": [
        {**config_of(running)["pipelines"][0], "limits": {"recordsPerSecond": 7}}]}})
    desk.wait_state(id, "running")
    running.kill()
    desk.wait_status(lambda status: not status["online"])  # says the will
    running.start()
    desk.wait_state(id, "rolledBack")
    assert "died" in wait_for(lambda: desk.answer(id))["text"]


DEATHS = int(os.environ.get("LEAT_DEATHS", "5"))


def test_the_old_or_the_new_one_runs_after_a_death_at_any_moment_of_a_command(
        running, collector, followed, desk):
    """LEAT_DEATHS=100 for as many as the promise speaks of."""
    seed = int(os.environ.get("LEAT_SEED", random.randrange(1 << 30)))
    chance = random.Random(seed)
    one = config_of(running)["pipelines"][0]

    def change_to(limit):
        return desk.send("config.set", {"config": {
            **config_of(running), "pipelines": [{**one, "limits": {"recordsPerSecond": limit}}]}})

    def limit():
        shown = desk.ask("config.get")
        return shown["result"]["pipelines"][0]["limits"]["recordsPerSecond"]
    begun = time.monotonic()
    desk.wait_state(change_to(1000), "running")
    took = time.monotonic() - begun
    for n in range(1, DEATHS + 1):
        before = limit()
        id = change_to(1000 + n)
        time.sleep(chance.random() * took * 1.2)
        running.kill()
        running.start()
        # The one before may have been on probation: then the one that was good before that.
        assert limit() in (before, 1000 + n, before - 1, 0), (seed, n)
        append(followed, n)
        wait_for(lambda n=n: n in seqs(collector), what=f"record {n} (seed {seed})")
        wait_for(lambda id=id: {"succeeded", "rolledBack", "interrupted"} & set(desk.states(id)),
                 what=lambda id=id: f"an end of {id}: {desk.states(id)} (seed {seed})")
    assert sorted(set(seqs(collector))) == list(range(DEATHS + 1)), seed


@pytest.mark.usefixtures("dynamic_binary")
def test_a_clock_that_is_years_off_keeps_commands_away_only_where_it_is_said_to_be_right(
        agent, collector, followed, desk, control, tmp_path):
    clock = OtherClock(tmp_path)
    clock.shift(-50 * OtherClock.YEAR)
    agent.configure(pipeline(file_source(followed, follow=True), http_sink(collector)),
                    control=control)
    agent.start(env=clock.env)
    desk.wait_status(lambda status: status["online"])
    for years in (-50, 30):
        clock.shift(years * OtherClock.YEAR)
        assert desk.ask("ping")["state"] == "succeeded"
    clock.shift(30 * OtherClock.YEAR, right=True)
    assert desk.ask("ping")["error"]["code"] == "forbidden", "its time is over"
    clock.shift(0, right=True)
    assert desk.ask("ping")["state"] == "succeeded"


def test_a_key_that_stands_in_a_file_counts_when_the_file_has_another(
        agent, collector, followed, desk, control):
    secret = agent.folder / "secret"
    secret.write_text("1" * 32)
    agent.configure(pipeline(file_source(followed, follow=True), http_sink(collector)), control={
        **control, "keys": [*control["keys"], {"id": "shift", "secret": f"${{file:{secret}}}",
                                               "role": "operate"}]})
    agent.start()
    desk.wait_status(lambda status: status["online"])
    for word in "12":
        secret.write_text(word * 32)
        if word == "2":
            agent.send(signal.SIGHUP)
            agent.wait_log("configuration taken over: 0 pipelines")
        desk.keys = {**desk.keys, "shift": word * 32}
        assert desk.ask("pipeline.restart", {"pipeline": "p"}, key="shift")["state"] == "succeeded"
    desk.keys["shift"] = "1" * 32
    old = desk.send("ping", key="shift")
    assert desk.ask("ping", key="fleet")["state"] == "succeeded"
    assert not desk.answers(old)


def test_a_group_is_commanded_at_once_and_answers_where_it_is_asked_to(running, desk, broker):
    message = desk.signed("ping", id="group", to="site-a")
    with broker.subscriber("desk/7", form="%j") as inbox:
        desk.publish(message, to="site-a", response_topic="desk/7", correlation_data="xyz")
        answer = json.loads(inbox.wait_lines(1)[0])
    assert json.loads(answer["payload"])["state"] == "succeeded"
    assert answer["properties"]["correlation-data"] == "xyz"


def test_a_lost_broker_disturbs_no_pipeline(agent, collector, followed, control, tmp_path, desk):
    own = Mosquitto(tmp_path / "own")
    control = {**control, "url": own.url}
    agent.configure(pipeline(file_source(followed, follow=True), http_sink(collector)),
                    control=control)
    try:
        agent.start()
        agent.wait_log("control: connected to")
        own.stop()
        agent.wait_log("control: .*(closed|lost|refused)")
        append(followed, *range(100))
        wait_for(lambda: len(seqs(collector)) == 100, what="all is delivered")
        own.start()
        with Desk(own, KEYS, prefix=control["prefix"]) as mine:
            assert mine.ask("ping")["state"] == "succeeded"
    finally:
        own.stop()


def test_while_nothing_happens_it_neither_wakes_nor_writes(agent, followed, collector, desk, control):
    """Its broker is there, and a file that it follows; the ping of keepAlive is an hour away."""
    append(followed, 0)
    agent.configure(pipeline(file_source(followed, follow=True), http_sink(collector)),
                    control={**control, "keepAlive": "1h"})
    agent.start()
    collector.wait_records(1)
    desk.wait_status(lambda status: status["pipelines"][0]["state"] == "running")
    process = Path(f"/proc/{agent.process.pid}")

    def woke_and_wrote():
        threads = [(one / "status").read_text() for one in (process / "task").iterdir()]
        switches = sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M)[1]) for text in threads)
        return switches, re.search(r"wchar: \d+", (process / "io").read_text())[0]

    def rests():
        before = woke_and_wrote()
        time.sleep(3)  # is what is looked at: whether anything happens meanwhile
        return woke_and_wrote() == before
    # The position of what was delivered is kept after a while, for one.
    wait_for(rests, 60, lambda: f"three seconds of rest; now {woke_and_wrote()}; {agent.log[-2000:]}")
    assert desk.ask("ping")["state"] == "succeeded"


def test_without_keys_it_is_refused(agent, control, desk):
    agent.configure(control={**control, "keys": []})
    done = agent.command("check", "-c", str(agent.config_path))
    assert done.returncode == 2
    assert "agent.control.keys" in done.stderr


def with_new_key(agent, control):
    """The configuration with one key that may configure, which is new."""
    config = config_of(agent)
    config["agent"]["control"]["keys"] = [{"id": "fleet-2", "secret": "2" * 32, "role": "configure"}]
    return config


def test_new_keys_that_nobody_has_are_taken_back(running, desk, control):
    id = desk.send("config.set", {"config": with_new_key(running, control)}, key="fleet")
    answer = wait_for(lambda: desk.answer(id), what="it is taken back")
    assert answer["state"] == "rolledBack", answer
    assert "fleet-2" in json.dumps(answer)
    assert desk.ask("ping", key="fleet")["state"] == "succeeded"
    assert [one["state"] for one in desk.answers(id)] == ["running", "rolledBack"], "each once"
    assert running.log.count("control: connected to") == 1, "it stays connected"


@pytest.mark.parametrize("probation", ["8s"])  # within which they must be used
def test_new_keys_that_are_used_stay_and_the_old_ones_are_worth_nothing(running, desk, control):
    desk.keys = {**desk.keys, "fleet-2": "2" * 32}
    id = desk.send("config.set", {"config": with_new_key(running, control)}, key="fleet")
    wait_for(lambda: desk.answer(id, final=False), what="it is taken over")
    assert desk.ask("ping", key="fleet-2")["state"] == "succeeded"
    wait_for(lambda: desk.answer(id), what="the end of its probation")
    assert desk.answer(id)["state"] == "succeeded", desk.answer(id)
    old = desk.send("ping", key="fleet")
    assert desk.ask("ping", key="fleet-2")["state"] == "succeeded"
    assert not desk.answers(old)


def test_keys_of_which_none_may_configure_are_taken_back_at_once(running, desk, control):
    config = config_of(running)
    config["agent"]["control"]["keys"] = [key for key in control["keys"] if key["role"] != "configure"]
    assert desk.ask("config.set", {"config": config}, key="fleet")["state"] == "rolledBack"
    assert desk.ask("ping", key="fleet")["state"] == "succeeded"
