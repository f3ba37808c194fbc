"""`leat dead-letters`: of an agent that runs, with real peers, and of files that none has."""

import json
import signal
import stat
import subprocess

import pytest

from harness.collector import Answer
from harness.output import conforming
from harness.pipelines import file_source, http_sink, pipeline, quick_retry, where
from harness.postgres_pipelines import lines, sink
from harness.unix_http import UnixHttp
from harness.waiting import wait_for

FAILS = where("json_extract(x, '$.a') > 0")  # where x is no JSON


def leat(agent, *words, **how):
    return agent.command("dead-letters", *words, "--data-dir", str(agent.data_dir), **how)


def counts(agent):
    done = leat(agent, "--json")
    assert done.returncode == 0, done.stderr
    return {one["pipeline"]: one for one in conforming(done.stdout, "deadLetters")["deadLetters"]}


def shown(agent, *words):
    done = leat(agent, *words)
    assert done.returncode == 0, done.stderr
    return [conforming(line, "deadLetter") for line in done.stdout.splitlines()]


def spooled(agent):
    """Records that wait."""
    done = agent.command("spool", "--json", "--data-dir", str(agent.data_dir))
    assert done.returncode == 0, done.stderr
    return sum(one["records"] for one in conforming(done.stdout, "spool")["spools"])


def open_letters(agent):
    return counts(agent)["p"]["open"]


def reload(agent, **changes):
    config = json.loads(agent.config_path.read_text())
    config["pipelines"][0].update(changes)
    agent.write_config(config)
    agent.send(signal.SIGHUP)
    agent.wait_log("configuration taken over")


def with_letters(agent, collector, count=3):
    """An agent that runs, and has so many dead letters; their cause is mended then."""
    log = agent.folder / "in.jsonl"
    log.write_text("".join(json.dumps({"seq": i, "x": "no JSON"}) + "\n" for i in range(count)))
    # Without a probation: killed within one, the agent would go back to the filter that fails.
    agent.configure(pipeline(file_source(log, follow=True), http_sink(collector), FAILS,
                             delivery=quick_retry()), probation="0s")
    agent.start()
    agent.wait_for(lambda: len(agent.dead_letters()) == count)
    reload(agent, transforms=[])


def seqs(collector):
    return [record["seq"] for record in collector.records()]


def test_letters_are_counted_shown_exported_dropped_and_retried(agent, collector):
    with_letters(agent, collector)
    table = leat(agent).stdout.splitlines()
    assert table[1].split()[:3] == ["p", "3", "filter"], table
    path = agent.data_dir / "dead-letters" / "p.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    agent.wait_log(f"kept in {path}")

    first, second, third = shown(agent, "show", "p", "-n", "3")
    assert json.loads(first["payload"])["seq"] == 0 and first["record"]["seq"] == 0
    payloads = leat(agent, "export", "p", "--payload").stdout
    assert payloads == (agent.folder / "in.jsonl").read_text()

    unclear = leat(agent, "drop", "p")
    assert unclear.returncode == 2 and "--all" in unclear.stderr
    for what in ("drop", "retry"):
        connection = UnixHttp(agent.data_dir / "leat.sock")
        connection.request("POST", f"/api/v1/dead-letters/{what}?pipeline=p")
        answer = connection.getresponse()
        assert answer.status == 400 and b"say which letters" in answer.read()
    assert counts(agent)["p"]["open"] == 3
    dropped = leat(agent, "drop", "p", "--id", second["id"], "--json")
    assert conforming(dropped.stdout, "deadLettersDrop") == {"pipeline": "p", "dropped": 1}
    assert [one["id"] for one in shown(agent, "export", "p")] == [first["id"], third["id"]]

    done = leat(agent, "retry", "p", "--all")
    assert (done.returncode, done.stdout) == (0, "p: 2 letters tried again\n"), done.stderr
    assert seqs(collector) == [0, 2]
    again = leat(agent, "retry", "p", "--all", "--json")
    assert conforming(again.stdout, "deadLettersRetry")["retried"] == 0
    assert {key: counts(agent)["p"][key] for key in ("open", "done", "dropped")} == {
        "open": 0, "done": 2, "dropped": 1}
    assert [one["state"] for one in shown(agent, "show", "p", "--all")] == ["done", "dropped", "done"]
    for words in (("drop", "p"), ("retry", "p"), ("show", "p"), ("export", "p")):
        gone = leat(agent, *words, "--id", second["id"])
        assert gone.returncode == 1 and f"p has no open dead letter {second['id']}" in gone.stderr, words
    assert leat(agent, "show", "p", "--all", "--id", second["id"]).returncode == 0
    unknown = leat(agent, "retry", "q", "--all")
    assert unknown.returncode == 2 and 'a pipeline "q"' in unknown.stderr


def test_one_that_the_sink_refuses_again_is_dead_again_at_once_and_counted_once(agent, collector):
    """And holds nothing up: a circuit that opened would be open for ten minutes."""
    collector.decide = lambda request: Answer(413 if b"large" in request.body else 400 if b"bad" in request.body
                                              else 204)
    log = lines(agent, {"n": 1}, {"n": 2, "x": "bad"}, {"n": 3}, {"n": 4, "x": "large"}, {"n": 5})
    agent.configure(pipeline(file_source(log, follow=True), http_sink(collector),
                             delivery=quick_retry(threshold=1, cooldown="10m")))
    agent.start()
    agent.wait_for(lambda: len(agent.dead_letters()) == 2)
    codes = {"http-400": 1, "http-413": 1}
    assert {one["code"]: one["count"] for one in counts(agent)["p"]["reasons"]} == codes
    failed = leat(agent, "retry", "p", "--reason", "http-400", "--json")
    assert failed.returncode == 1, failed.stderr
    assert conforming(failed.stdout, "deadLettersRetry")["deadAgain"] == 1
    assert {one["code"]: one["count"] for one in counts(agent)["p"]["reasons"]} == codes
    status = agent.command("status", "--json", "--data-dir", str(agent.data_dir))
    shown_now, = conforming(status.stdout, "status")["pipelines"]
    assert shown_now["state"] == "running" and shown_now["records"]["deadLetters"] == 2
    assert {one["code"]: one["count"] for one in shown_now["deadLetterReasons"]} == codes
    connection = UnixHttp(agent.data_dir / "leat.sock")
    connection.request("GET", "/metrics")
    sample = 'leat_dead_letters_by_code_total{pipeline="p",stage="http",code="http-413"} 1'
    assert sample in connection.getresponse().read().decode().splitlines()


def test_a_letter_names_the_topic_and_the_properties_of_its_message(agent, mosquitto, collector):
    source = {"type": "mqtt", "url": mosquitto.url, "topics": ["plant/#"], "qos": 1}
    agent.configure(pipeline(source, http_sink(collector)))
    agent.start()
    agent.wait_log("connected")
    mosquitto.publish("plant/a", " ")
    mosquitto.publish("plant/b", "no JSON", user_property={"site": "north"})
    agent.wait_for(lambda: len(agent.dead_letters()) == 2)
    letters = {one["metadata"]["topic"]: one for one in shown(agent, "show", "p")}
    blank, unreadable = letters["plant/a"], letters["plant/b"]
    assert blank["metadata"] == {"topic": "plant/a", "qos": 1} and blank["code"] == "source"
    assert "plant/a, message 1" in blank["source"]
    assert unreadable["metadata"] == {"topic": "plant/b", "qos": 1, "userProperties": {"site": "north"}}
    assert unreadable["payload" if "payload" in unreadable else "raw"] == "no JSON"
    assert leat(agent, "retry", "p", "--id", unreadable["id"]).returncode == 1
    assert shown(agent, "show", "p", "--id", unreadable["id"])[0]["metadata"] == unreadable["metadata"]


def test_a_letter_of_what_was_spooled_names_the_message_that_it_was(agent, mosquitto, collector):
    """It was the one before it, and of the first message 0."""
    collector.decide = lambda request: Answer(400) if b"bad" in request.body else Answer()
    agent.configure(pipeline({"type": "mqtt", "url": mosquitto.url, "topics": ["plant/#"], "qos": 1},
                             http_sink(collector), delivery={"spool": "always"}))
    agent.start()
    agent.wait_log("connected")
    for topic, text in ("a", '{"v":"bad"}'), ("b", '{"v":1}'), ("c", '{"v":"bad"}'):
        mosquitto.publish(f"plant/{topic}", text)
    agent.wait_for(lambda: len(agent.dead_letters()) == 2)
    assert agent.dead_letters()[0]["source"].endswith(" plant/a, message 1 (record 1 spooled there)")


@pytest.mark.parametrize("killed", [False, True], ids=["running", "killed"])
def test_what_waited_in_the_spool_is_known_with_all_that_its_message_brought(agent, mosquitto, collector, killed):
    """The broker was told that it is safe, and so nobody else has that any more."""
    collector.decide = lambda request: Answer(503)
    source = {"type": "mqtt", "url": mosquitto.url, "topics": ["plant/#"], "qos": 1}
    agent.configure(pipeline(source, http_sink(collector), delivery=quick_retry()))
    agent.start()
    agent.wait_log("connected")
    mosquitto.publish("plant/a", '{"n":1,"x":"bad"}', user_property={"site": "north"},
                      content_type="application/json", response_topic="answers/a")
    agent.wait_for(lambda: spooled(agent) == 1)
    mosquitto.publish("plant/b", '{"n":2}')
    mosquitto.publish("plant/c", '{"n":3,"x":"bad"}')
    agent.wait_for(lambda: spooled(agent) == 3)
    if killed:
        agent.kill()
        agent.start()
    collector.decide = lambda request: Answer(400 if b"bad" in request.body else 204)
    agent.wait_for(lambda: len(agent.dead_letters()) == 2)
    first, last = sorted(shown(agent, "show", "p"), key=lambda letter: letter["metadata"]["topic"])
    assert first["metadata"] == {"topic": "plant/a", "qos": 1, "contentType": "application/json",
                                 "responseTopic": "answers/a", "userProperties": {"site": "north"}}
    assert last["metadata"] == {"topic": "plant/c", "qos": 1}
    # Tried again by way of the spool, it is the same letter, and refused at once.
    collector.decide = lambda request: Answer(503)
    mosquitto.publish("plant/d", '{"n":4}')
    agent.wait_for(lambda: spooled(agent) == 1)
    leat(agent, "retry", "p", "--id", last["id"])
    assert counts(agent)["p"]["open"] == 1
    collector.decide = lambda request: Answer(400 if b"bad" in request.body else 204)
    agent.wait_for(lambda: counts(agent)["p"]["open"] == 2)
    again, = shown(agent, "show", "p", "--id", last["id"])
    assert again["attempt"] == 2 and again["metadata"] == last["metadata"]


def test_a_message_is_retried_with_its_topic_and_one_that_fails_again_keeps_its_id(
        agent, mosquitto, collector):
    source = {"type": "mqtt", "url": mosquitto.url, "topics": ["plant/+/press"], "qos": 1,
              "topicFields": ["plant/{line}/press"]}
    agent.configure(pipeline(source, http_sink(collector), FAILS))
    agent.start()
    agent.wait_log("connected")
    mosquitto.publish("plant/north/press", '{"n": 1, "x": "no JSON"}')
    agent.wait_for(lambda: len(agent.dead_letters()) == 1)
    letter = shown(agent, "show", "p")[0]
    assert letter["message"] == {"line": "north"}

    failed = leat(agent, "retry", "p", "--id", letter["id"])
    assert failed.returncode == 1
    assert failed.stdout.startswith(
        f"p: 1 letter tried again, 1 of them dead again\n  {letter['id']}: "), failed.stderr
    again = shown(agent, "show", "p")
    assert [(one["id"], one["attempt"]) for one in again] == [(letter["id"], 2)]
    reload(agent, transforms=[])
    assert leat(agent, "retry", "p", "--stage", "filter").returncode == 0
    assert collector.records() == [{"n": 1, "x": "no JSON", "line": "north"}]


def test_what_the_server_refused_is_sent_again_as_it_was(agent, collector):
    log = agent.folder / "in.jsonl"
    log.write_text('{"seq": 0}\n{"seq": 1}\n')
    collector.decide = lambda request: Answer(400) if b'"seq": 1' in request.body else Answer()
    agent.configure(pipeline(file_source(log, follow=True), http_sink(collector)))
    agent.start()
    agent.wait_for(lambda: len(agent.dead_letters()) == 1)
    collector.decide = None
    done = leat(agent, "retry", "p", "--all")
    assert done.returncode == 0, done.stdout + done.stderr
    assert seqs(collector) == [0, 1]


def test_a_row_that_the_database_refused_goes_through_all_stages_again(agent, database):
    database.query("CREATE TABLE t (id int, at timestamptz, name varchar(3))")
    path = lines(agent, {"id": 1, "at": "2026-01-02T03:04:05Z", "name": "abcd"}, {"id": 2, "name": "x"})
    agent.configure(pipeline(file_source(path, follow=True, fieldTypes={"at": "time"}),
                             sink(database), delivery=quick_retry()))
    agent.start()
    agent.wait_for(lambda: len(agent.dead_letters()) == 1)
    letter = shown(agent, "show", "p")[0]
    assert letter["types"] == {"at": "time"} and json.loads(letter["payload"]) == letter["record"]
    database.query("ALTER TABLE t ALTER name TYPE text")
    for at in ("stage", "start"):  # once more by hand, to see that both ways lead there
        assert leat(agent, "retry", "p", "--all", "--from", at).returncode == 0
        assert database.query("SELECT id, extract(epoch FROM at)::bigint, name FROM t WHERE id = 1") == [
            ("1", "1767323045", "abcd")]
        if at == "stage":
            (agent.data_dir / "dead-letters" / "p.jsonl.done").unlink()
            database.query("DELETE FROM t WHERE id = 1")


def test_an_edited_letter_is_tried_at_once(agent, collector):
    log = agent.folder / "in.jsonl"
    log.write_text('{"seq": 7\n')
    agent.configure(pipeline(file_source(log, follow=True), http_sink(collector), where("seq > 0")))
    agent.start()
    agent.wait_for(lambda: len(agent.dead_letters()) == 1)
    letter = shown(agent, "show", "p")[0]

    def edit(command, *words):
        env = {"PATH": "/usr/bin:/bin", "EDITOR": command}
        return leat(agent, "edit", "p", letter["id"], *words, env=env)

    assert edit("true").stdout == "nothing was changed: it is not tried again\n"
    assert edit("false").returncode == 2
    worse = edit("sed -i s/7/}/")
    assert worse.returncode == 1 and letter["id"] in worse.stdout, worse.stderr
    assert shown(agent, "show", "p")[0]["raw"] == '{"seq": }'
    mended = edit("sed -i 's/}/8}/'")
    assert (mended.returncode, mended.stdout) == (0, "p: 1 letter tried again\n"), mended.stderr
    assert seqs(collector) == [8]
    gone = edit("true")
    assert gone.returncode == 1 and "no open dead letter" in gone.stderr


def test_a_row_that_needs_its_header_is_made_a_record_by_hand(agent, collector):
    log = agent.folder / "in.csv"
    log.write_text("seq,temp\n1,20.5\n2\n")
    agent.configure(pipeline(file_source(log, format="csv", follow=True), http_sink(collector)))
    agent.start()
    agent.wait_for(lambda: len(agent.dead_letters()) == 1)
    letter = shown(agent, "show", "p")[0]
    refused = leat(agent, "retry", "p", "--all")
    assert refused.returncode == 1 and "under its header" in refused.stdout, refused.stderr
    env = {"PATH": "/usr/bin:/bin", "EDITOR": "sed -i 's/.*/{\"seq\":2,\"temp\":21.5}/'"}
    mended = leat(agent, "edit", "p", letter["id"], "--from", "stage", env=env)
    assert mended.returncode == 0, mended.stdout + mended.stderr
    collector.wait_records(2)
    assert collector.records()[1] == {"seq": 2, "temp": 21.5}
    assert open_letters(agent) == 0


def test_a_kill_in_the_middle_of_a_retry_loses_nothing(agent, collector, spawn):
    count = 400
    with_letters(agent, collector, count)
    config = json.loads(agent.config_path.read_text())
    config["pipelines"][0]["sink"]["batch"] = {"records": 10, "linger": "1ms"}
    agent.write_config(config)
    agent.send(signal.SIGHUP)
    agent.wait_log("1 pipeline .re.started[^\n]*\n[^$]*1 pipeline .re.started")

    def decide(_request):
        # Some are through, and some on their way.
        return Answer.hang() if len(collector.requests) > 15 else Answer()
    collector.decide = decide
    retry = spawn([agent.binary, "dead-letters", "retry", "p", "--all", "--data-dir", str(agent.data_dir)],
                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    collector.wait_requests(16)
    agent.kill()
    assert retry.wait(timeout=30) != 0
    collector.decide = None
    left = open_letters(agent)
    assert 0 < left < count, "some were marked before the kill"
    agent.start()
    agent.wait_log("starts")
    said = []

    def retried():
        said.append(leat(agent, "retry", "p", "--all"))
        return said[-1].returncode == 0
    agent.wait_for(retried, what=lambda: f"a retry, but {said[-1]}")
    assert set(seqs(collector)) == set(range(count))
    assert len(seqs(collector)) < count + 128 + 20, "those that were marked did not come again"
    assert open_letters(agent) == 0


def test_without_an_agent_the_files_themselves_are_looked_at_and_retries_wait_for_one(
        agent, collector):
    with_letters(agent, collector)
    agent.kill()
    listed = leat(agent)
    assert listed.stdout.splitlines()[1].split()[:2] == ["p", "3"]
    assert listed.stderr == f"leat: no agent runs here: reading the files of {agent.data_dir}\n"
    refused = leat(agent, "retry", "p", "--all")
    assert refused.returncode == 3 and "start it first" in refused.stderr
    dropped = leat(agent, "drop", "p", "--before", "0s")
    assert dropped.stdout == "p: 3 dead letters dropped\n", dropped.stderr
    agent.start()
    wait_for(lambda: agent.data_dir.joinpath("leat.sock").exists())
    wait_for(lambda: "no agent" not in leat(agent).stderr)
    # What had not been saved as delivered is read again, and may have letters of its own by now.
    assert counts(agent)["p"]["dropped"] == 3


def test_letters_go_to_a_sink_of_their_own_as_well(agent, collector):
    log = agent.folder / "in.jsonl"
    log.write_text('{"seq": 0, "x": "no JSON"}\n')
    agent.configure(
        pipeline(file_source(log, follow=True), {"type": "file", "path": str(agent.folder / "out")},
                 FAILS, deadLetters={"sink": http_sink(collector)}))
    agent.start()
    collector.wait_records(1)
    assert [one["id"] for one in agent.dead_letters()] == [collector.records()[0]["id"]]
    assert leat(agent, "retry", "p", "--all").returncode == 1
    collector.wait_records(2)
    first, again = collector.records()
    assert (first["id"], again["attempt"]) == (again["id"], 2)
    agent.terminate()
    assert agent.wait() == 0
    agent.start()
    with open(log, "a", encoding="utf8") as file:
        file.write('{"seq": 1, "x": "no JSON"}\n')
    collector.wait_records(3)
    assert [one["record"]["seq"] for one in collector.records()] == [0, 0, 1], "each comes once"
    shown_config = json.loads(agent.command("config", "-c", agent.config_path).stdout)
    assert shown_config["pipelines"][0]["deadLetters"]["sink"]["type"] == "http"


def test_what_cannot_be_a_sink_of_dead_letters_is_said_where_it_stands(agent, collector):
    def said(*pipelines):
        agent.configure(*pipelines)
        done = agent.command("check", "-c", agent.config_path)
        assert done.returncode == 2, done.stdout
        return done.stderr
    log = agent.folder / "in.jsonl"
    sink = {"deadLetters": {"sink": http_sink(collector)}}
    assert "pipelines[0].deadLetters.sink: is for a source that does not end" in said(
        pipeline(file_source(log), http_sink(collector), **sink))
    assert 'makes a pipeline "p.deadLetters", as is called pipelines[0] already' in said(
        pipeline(file_source(log), http_sink(collector), name="p.deadLetters"),
        pipeline(file_source(log, follow=True), http_sink(collector), name="p", **sink))
    wrong = {"deadLetters": {"sink": http_sink(collector) | {"ulr": "x"}}}
    assert "pipelines[0].deadLetters.sink.ulr: unknown key" in said(
        pipeline(file_source(log, follow=True), http_sink(collector), **wrong))
