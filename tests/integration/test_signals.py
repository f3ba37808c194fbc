"""Signals and exit codes: 0 all delivered, 1 a pipeline failed, 2 bad usage or configuration."""

import json
import os
import signal
import subprocess
from contextlib import contextmanager

import pytest

from harness.collector import Answer
from harness.ports import free_port
from harness.pipelines import file_source, http_sink, pipeline, quick_retry, where
from harness.telemetry import expect_each_once

RECORDS = 5000


def seqs(collector):
    return [record["seq"] for record in collector.records()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_a_restart_goes_on_without_duplicates(
        agent, collector, telemetry, number):
    collector.default = Answer(delay=0.02)
    agent.configure(pipeline(file_source(telemetry(RECORDS)), http_sink(collector, inFlight=2)))
    agent.start()
    collector.wait_requests(5)
    agent.send(number)
    assert agent.wait() == 0
    assert 0 < len(seqs(collector)) < RECORDS
    collector.default = Answer()
    assert agent.run() == 0
    expect_each_once(seqs(collector), RECORDS)


def test_a_follower_ends_with_0_when_all_is_delivered(agent, collector, telemetry):
    agent.configure(pipeline(file_source(telemetry(RECORDS), follow=True), http_sink(collector)))
    agent.start()
    collector.wait_records(RECORDS)
    assert agent.running()
    agent.terminate()
    assert agent.wait() == 0


def test_a_drain_delivers_what_was_read_without_lingering(agent, collector):
    """1010 short lines come with one read: 1000 go out as a full batch, ten wait for company."""
    path = agent.folder / "growing.jsonl"
    path.write_text("".join(f'{{"seq":{n}}}\n' for n in range(1010)))
    agent.configure(pipeline(file_source(path, follow=True),
                             http_sink(collector, records=1000, linger="1h")))
    agent.start()
    collector.wait_records(1000)
    agent.terminate()
    assert agent.wait() == 0
    expect_each_once(seqs(collector), 1010)


def test_a_drain_ends_at_its_timeout(agent, collector, telemetry):
    collector.default = Answer.hang()
    agent.configure(pipeline(file_source(telemetry(RECORDS)), http_sink(collector, timeout="60s")),
                    drainTimeout="300ms")
    agent.start()
    collector.wait_requests(1)
    agent.terminate()
    assert agent.wait(deadline=20) == 1
    assert agent.log_lines("drain")
    collector.down()
    collector.up()
    collector.requests.clear()
    collector.default = Answer()
    assert agent.run() == 0
    expect_each_once(seqs(collector), RECORDS)


def test_a_second_signal_stops_at_once(agent, collector, telemetry):
    collector.default = Answer.hang()
    agent.configure(pipeline(file_source(telemetry(RECORDS)), http_sink(collector, timeout="60s")),
                    drainTimeout="60s")
    agent.start()
    collector.wait_requests(1)
    agent.terminate()
    agent.wait_log("drain")
    agent.terminate()
    assert agent.wait(deadline=20) == 1


@pytest.mark.parametrize("delivery", [
    {}, {"spool": "always", "maxSpool": "64KiB"}], ids=["without a spool", "with a full spool"])
def test_a_drain_does_not_wait_for_a_dead_sink_when_all_can_be_read_again(
        agent, collector, telemetry, delivery):
    collector.default = Answer(503)
    agent.configure(pipeline(file_source(telemetry(20_000)), http_sink(collector),
                             delivery=quick_retry(threshold=1, cooldown="1h", **delivery)),
                    drainTimeout="10m")
    agent.start()
    agent.wait_log("the spool is full" if delivery else "trying again")
    agent.terminate()
    assert agent.wait(deadline=20) == 0
    assert agent.log_lines(r"records in flight are not confirmed; they are read again")
    collector.down()
    collector.up()
    collector.default = Answer()
    assert agent.run() == 0
    expect_each_once(seqs(collector), 20_000)


@contextmanager
def locked(agent, database, table):
    """Somebody else has locked the table."""
    holder = subprocess.Popen(["psql", "-X", "-q", "-d", database.url], stdin=subprocess.PIPE, text=True)
    holder.stdin.write(f"BEGIN; LOCK TABLE {table};\n")
    holder.stdin.flush()
    locks = f"SELECT count(*) FROM pg_locks WHERE relation = '{table}'::regclass AND granted"
    agent.wait_for(lambda: database.value(locks) == "1")
    try:
        yield
    finally:
        holder.communicate("COMMIT;\n")


@contextmanager
def stopped(process):
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def test_a_drain_leaves_sinks_that_take_all_and_never_answer(agent, collector, database, mosquitto):
    """A server that hangs, a table that somebody has locked, a broker that stands still."""
    database.query("CREATE TABLE t (seq bigint)")
    log = agent.folder / "in.jsonl"
    log.write_text('{"seq":0}\n')
    sinks = {"http": http_sink(collector, timeout="10m"),
             "postgres": {"type": "postgres", "url": database.url, "table": "t", "timeout": "10m"},
             "mqtt": {"type": "mqtt", "url": mosquitto.url, "topic": "out", "qos": 1}}
    agent.configure(*({**pipeline(file_source(log, follow=True), sink), "name": name}
                      for name, sink in sinks.items()), drainTimeout="10m")

    def waiting():
        shown = json.loads(agent.command("status", "--json", "--data-dir", str(agent.data_dir)).stdout)
        return [one["records"]["waiting"] for one in shown["pipelines"]]

    with mosquitto.subscriber("out") as subscriber:
        agent.start()
        subscriber.wait_lines(1)
        agent.wait_for(lambda: waiting() == [0, 0, 0], what="the first record at each sink")
        collector.default = Answer.hang()
        with locked(agent, database, "t"), stopped(mosquitto.process):
            with open(log, "a", encoding="utf8") as file:
                file.write('{"seq":1}\n')
            agent.wait_for(lambda: waiting() == [1, 1, 1], what="the second one on its way")
            agent.terminate()
            assert agent.wait() == 0
        assert len(agent.log_lines("the sink does not answer.* it is read again")) == 3
        collector.down()
        collector.up()
        collector.default = Answer()
        agent.start()
        agent.wait_for(lambda: {one["seq"] for one in collector.records()} == {0, 1}, what="http")
        agent.wait_for(lambda: database.value("SELECT count(DISTINCT seq) FROM t") == "2", what="rows")
        agent.wait_for(lambda: any('"seq":1' in line for line in subscriber.lines), what="message")


def test_one_pipeline_fails_and_the_other_ends(agent, make_collector, telemetry):
    good, bad = make_collector(), make_collector()
    agent.configure(
        pipeline(file_source(telemetry(RECORDS)), http_sink(good)),
        pipeline(file_source(telemetry(RECORDS)), http_sink(bad),
                 where("json_extract(device, '$') = 1", onError="fail")))
    assert agent.run() == 1
    expect_each_once(seqs(good), RECORDS)
    assert bad.requests == []
    assert agent.log_lines(" error p1: ")


@pytest.mark.parametrize("arguments", [[], ["rnu"], ["run"], ["run", "-c"], ["run", "--what"],
                                       ["run", "-c", "nowhere.json"]])
def test_bad_usage_exits_with_2(agent, arguments):
    result = agent.command(*arguments)
    assert result.returncode == 2
    assert result.stderr and not result.stdout


def test_a_bad_configuration_exits_with_2(agent):
    agent.write_config('{"pipelines": [}')
    result = agent.command("run", "-c", agent.config_path)
    assert result.returncode == 2
    assert "leat.json" in result.stderr


def test_a_second_agent_on_the_same_data_folder_is_refused(agent, make_agent, collector, telemetry):
    agent.configure(pipeline(file_source(telemetry(10), follow=True), http_sink(collector)))
    agent.start()
    collector.wait_records(10)
    second = make_agent("second")
    second.data_dir = agent.data_dir
    second.configure(pipeline(file_source(telemetry(10), follow=True), http_sink(collector)))
    assert second.run() == 1
    assert second.log_lines("another agent is using this journal")
    assert agent.running()


def start_at_a_fifo(agent):
    """Its configuration is what is written to the FIFO; it waits for that. Returns the text."""
    text = agent.config_path.read_text()
    agent.config_path.unlink()
    os.mkfifo(agent.config_path)
    agent.start()
    return text


def give(agent, text, *numbers):
    """Sends it signals while it reads its configuration, and then lets it go on."""
    with open(agent.config_path, "w", encoding="utf8") as fifo:  # returns when it has opened it
        for number in numbers:
            agent.send(number)
        fifo.write(text)


def test_a_hangup_while_it_starts_neither_kills_nor_is_lost(agent, collector, telemetry):
    agent.configure(pipeline(file_source(telemetry(10), follow=True), http_sink(collector)))
    text = start_at_a_fifo(agent)
    give(agent, text, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
    agent.wait_log("reading the configuration again")
    give(agent, text)
    agent.wait_log("configuration taken over: 0 pipelines .re.started, 1 untouched")
    collector.wait_records(10)
    agent.terminate()
    assert agent.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_being_told_to_stop_while_it_starts_is_a_drain(agent, collector, telemetry, number):
    agent.configure(pipeline(file_source(telemetry(10), follow=True), http_sink(collector)))
    text = start_at_a_fifo(agent)
    give(agent, text, number)
    assert agent.wait() == 0
    assert agent.log_lines(f"{number.name}: draining")


def test_usr1_writes_the_state_and_usr2_does_nothing(agent, collector, telemetry):
    agent.configure(pipeline(file_source(telemetry(10), follow=True), http_sink(collector)),
                    pipeline(file_source(telemetry(20), follow=True), http_sink(collector)))
    agent.start()
    collector.wait_records(30)
    agent.send(signal.SIGUSR2)

    def state():  # the collector knows of the records before its answer is there
        agent.send(signal.SIGUSR1)
        return (agent.log_lines("info p: state: 10 records read .*, 10 delivered, 0 dead letters")
                and agent.log_lines("info p1: state: 20 records read .*, 20 delivered, 0 dead letters"))

    agent.wait_for(state)
    assert agent.log_lines("info leat: state: 2 pipelines run")
    agent.terminate()
    assert agent.wait() == 0


def test_hangup_reloads_what_changed(agent, collector):
    path = agent.folder / "growing.jsonl"
    path.write_text('{"seq":0}\n')

    def configure(*transforms):
        agent.configure(pipeline(file_source(path, follow=True), http_sink(collector), *transforms))

    configure()
    agent.start()
    collector.wait_records(1)
    configure({"type": "map", "set": {"site": "'north'"}})
    agent.send(signal.SIGHUP)
    agent.wait_log("configuration taken over")

    def append_until_mapped():
        with open(path, "a", encoding="utf8") as file:
            file.write(json.dumps({"seq": len(seqs(collector))}) + "\n")
        collector.wait_records(len(path.read_text().splitlines()))
        return "site" in collector.records()[-1]

    agent.wait_for(append_until_mapped, what="a record that went through the new transform")
    assert sorted(seqs(collector)) == list(range(len(seqs(collector))))
    agent.terminate()
    assert agent.wait() == 0


def test_a_new_configuration_takes_over_from_one_that_cannot_deliver(agent, collector, telemetry):
    source = file_source(telemetry(RECORDS))
    wrong = {**http_sink(collector), "url": f"http://127.0.0.1:{free_port()}/"}
    options = {"drainTimeout": "200ms"}
    agent.configure(pipeline(source, wrong, delivery=quick_retry()), **options)
    agent.start()
    agent.wait_log("trying again")
    agent.configure(pipeline(source, http_sink(collector), delivery=quick_retry()), **options)
    agent.send(signal.SIGHUP)
    assert agent.wait() == 0
    expect_each_once(seqs(collector), RECORDS)


def test_several_workers_share_the_pipelines_and_take_a_new_configuration(
        agent, collector, telemetry):
    paths = [telemetry(RECORDS, seed=seed) for seed in range(3)]
    growing = agent.folder / "growing.jsonl"
    growing.write_text('{"seq":0}\n')

    def configure(*transforms):
        follower = pipeline(file_source(growing, follow=True), http_sink(collector), *transforms)
        agent.configure(follower, *[pipeline(file_source(path), http_sink(collector))
                                    for path in paths], workers=3)

    configure()
    agent.start()
    collector.wait_records(3 * RECORDS + 1)
    configure(where("seq > 0"))
    agent.send(signal.SIGHUP)
    agent.wait_log("configuration taken over")
    with open(growing, "a", encoding="utf8") as file:
        file.write('{"seq":1}\n')
    collector.wait_records(3 * RECORDS + 2)
    agent.terminate()
    assert agent.wait() == 0
    assert len(collector.records()) == 3 * RECORDS + 2


def test_hangup_with_a_bad_configuration_changes_nothing(agent, collector):
    path = agent.folder / "growing.jsonl"
    path.write_text('{"seq":0}\n')
    agent.configure(pipeline(file_source(path, follow=True), http_sink(collector)))
    agent.start()
    collector.wait_records(1)
    agent.write_config({"pipelines": [{"name": "p", "source": {"type": "fiel"}}]})
    agent.send(signal.SIGHUP)
    agent.wait_log('did you mean "file"')
    with open(path, "a", encoding="utf8") as file:
        file.write('{"seq":1}\n')
    collector.wait_records(2)
    agent.terminate()
    assert agent.wait() == 0


def test_only_its_owner_can_read_the_journal(agent, collector, telemetry):
    agent.configure(pipeline(file_source(telemetry(10)), http_sink(collector)))
    os.umask(0o022)
    assert agent.run() == 0
    modes = {path.name: oct(path.stat().st_mode & 0o777)
             for path in [agent.data_dir, *agent.data_dir.glob("journal.db*")]}
    assert modes.pop(agent.data_dir.name) == "0o700"
    assert set(modes.values()) == {"0o600"}
