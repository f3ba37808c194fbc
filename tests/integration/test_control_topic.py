"""`agent.control`: signed commands over a real broker, and what comes of them."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from harness.desk import Desk
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


def test_each_command_of_the_table_is_there(running, collector, followed, desk):
    asked = set()

    def ask(command, arguments=None, state="succeeded", **options):
        asked.add(command)
        answer = desk.ask(command, arguments, **options)
        assert answer["state"] == state, answer
        return answer.get("result", answer.get("error", answer.get("text")))

    def is_in(state):
        return lambda status: status.get("pipelines", [{}])[0].get("state") == state

    p = {"pipeline": "p"}
    assert ask("ping", key="eye")["id"] == "test"
    assert ask("status", p)["pipelines"][0]["records"]["delivered"] == 1
    assert ask("stats")["pipelines"][0]["records"]["delivered"] == 1
    assert ask("pipeline.list")["pipelines"][0]["source"] == "file"
    assert ask("config.get")["agent"]["id"] == "test"
    assert ask("config.history")["versions"][0]["runs"]
    assert ask("config.check", {"config": config_of(running)})["ok"]
    ask("pipeline.pause", p, key="ops")
    desk.wait_status(is_in("paused"))
    ask("pipeline.resume", p, key="ops")
    desk.wait_status(is_in("running"))
    for command, state in (("stop", "stopped"), ("start", "running"), ("unmount", "unmounted"),
                           ("mount", "running")):
        ask(f"pipeline.{command}", p)
        desk.wait_status(is_in(state))
    ask("pipeline.restart", p)
    ask("pipeline.kick", p)
    desk.wait_status(is_in("running"))
    assert ask("spool.list") == {"spools": []}
    assert ask("spool.records", p) == []
    ask("spool.drop", {"pipeline": "p", "all": True})
    desk.wait_status(is_in("running"))
    wait_for(lambda: ask("positions.list")["positions"], what="its position is in the journal")
    assert ask("journal.verify")["ok"]
    ask("deadLetters.list")
    ask("deadLetters.show", p)
    assert ask("deadLetters.drop", {"pipeline": "p", "all": True})["dropped"] == 0
    assert ask("deadLetters.retry", {"pipeline": "p", "all": True})["retried"] == 0
    ask("journal.compact")
    ask("positions.reset", {"pipeline": "p", "to": "start"})
    collector.wait_records(2)
    desk.wait_status(is_in("running"))
    assert ask("log.level", {"level": "debug"}) == {"level": "debug"}
    assert ask("log.level", {"level": "info"}) == {"level": "info"}
    assert any("told to positions/reset" in line for line in ask("log.tail")["lines"])

    id = desk.send("tap", {"pipeline": "p", "seconds": 60, "records": 1})
    asked.add("tap")
    n = iter(range(100, 10_000))

    def tapped():
        append(followed, next(n))
        return desk.answer(id)
    assert "seq" in str(wait_for(tapped)["result"][0])

    one = config_of(running)["pipelines"][0]
    other = {**one, "limits": {"recordsPerSecond": 5000}}
    assert ask("config.patch", {"pipeline": "p", "config": other})["state"] == "good"
    assert desk.ask("config.get")["result"]["pipelines"][0]["limits"]["recordsPerSecond"] == 5000
    assert ask("config.rollback")["state"] == "good"
    config = config_of(running)
    day = {"type": "file", "path": str(running.folder) + "/${param:day}.jsonl"}
    config["pipelines"].append({"name": "z", **pipeline(day, http_sink(collector))})
    assert ask("config.set", {"config": config})["state"] == "good"
    provisioned = {"pipeline": "z", "parameters": {"day": followed.stem}}
    assert ask("pipeline.provision", provisioned, key="ops") == {"pipeline": "z", "run": 1}
    wait_for(lambda: ask("runs", {"pipeline": "z"}, key="eye")["runs"][0]["state"] == "succeeded")
    ask("config.reload")
    pid = running.process.pid
    ask("restart")
    assert running.process.poll() is None and running.process.pid == pid
    assert running.log.count(" starts: configuration") == 2
    desk.wait_status(is_in("running"))
    append(followed, 100_000)
    wait_for(lambda: 100_000 in seqs(collector), what="it goes on")
    asked.add("shutdown")
    id = desk.send("shutdown")
    assert running.wait() == 0
    assert desk.answer(id, final=False)["state"] == "running"
    desk.wait_status(lambda status: not status["online"])

    table = (ROOT / "agent/control/commands/table.cpp").read_text()
    rows = table[table.index("kCommands[] = {"):]
    names = set(re.findall(r'^    \{\.name = "([a-zA-Z.]+)",$', rows, re.M))
    assert asked >= names
    page = (ROOT / "agent/control/CONTROL_TOPIC.md").read_text()
    assert not [name for name in names if f"`{name}`" not in page]


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
