"""What the sink cannot take now is kept in the journal: through kills, full disks, new configs."""

import json
import secrets
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from faults.failing_fsync import FailingFsync
from faults.small_disk import SmallDisk, can_mount
from harness.collector import Answer
from harness.mqtt_peer import PUBACK, PUBLISH, RecordingProxy
from harness.pipelines import file_source, http_sink, pipeline, quick_retry
from harness.telemetry import expect_each_once, missing

RECORDS = 5000


def seqs(collector):
    return [record["seq"] for record in collector.records()]


def journal(agent, query):
    """Rows of a query of the journal, also while the agent runs: it keeps the file to itself, so a
    copy is read. [] when the copy came out torn."""
    copy = agent.folder / "journal-copy.db"
    for suffix in ("", "-wal"):
        source = agent.data_dir / f"journal.db{suffix}"
        Path(f"{copy}{suffix}").unlink(missing_ok=True)
        if source.exists():
            shutil.copyfile(source, f"{copy}{suffix}")
    try:
        with closing(sqlite3.connect(copy)) as db:
            return db.execute(query).fetchall()
    except sqlite3.DatabaseError:
        return []


def spooled(agent):
    """Records in the journal."""
    rows = journal(agent, "SELECT coalesce(sum(records), 0) FROM spool")
    return rows[0][0] if rows else None


def spooling(source, collector, mode="always", sink=None, **delivery):
    # One in flight, so that the order can be looked at.
    return pipeline(source, sink or http_sink(collector, inFlight=1),
                    delivery=quick_retry(spool=mode, **delivery))


def wait_all_read(agent, path):
    """Until the source's position in the journal is at the end of the file."""
    def condition():
        return any(str(path.stat().st_size) in value
                   for value, in journal(agent, "SELECT value FROM positions"))
    agent.wait_for(condition, what=f"all of {path} read and in the journal")


def test_what_was_spooled_is_delivered_after_a_kill_without_the_source(
        agent, collector, telemetry, tmp_path):
    path = tmp_path / "input.jsonl"
    path.write_bytes(telemetry(RECORDS).read_bytes())
    collector.down()
    agent.configure(spooling(file_source(path, follow=True), collector))
    agent.start()
    wait_all_read(agent, path)
    agent.kill()
    assert spooled(agent) == RECORDS
    path.unlink()
    collector.up()
    agent.start()
    collector.wait_records(RECORDS)
    agent.terminate()
    assert agent.wait() == 0
    expect_each_once(seqs(collector), RECORDS)
    assert seqs(collector) == sorted(seqs(collector))
    assert spooled(agent) == 0


def test_kills_while_the_sink_comes_and_goes_lose_nothing_and_keep_the_order(
        agent, collector, telemetry, tmp_path):
    path = tmp_path / "input.jsonl"
    path.write_bytes(telemetry(RECORDS).read_bytes())
    # Followed, so that it never is done before its kill.
    agent.configure(spooling(file_source(path, follow=True), collector, "onTrouble",
                             sink=http_sink(collector, records=50, inFlight=1)))
    kills = 0
    while len(set(seqs(collector))) < RECORDS:
        collector.down()
        agent.start()
        agent.wait_log("trying again until it works")
        collector.up()
        collector.wait_records(min(len(collector.records()) + 400, RECORDS))
        agent.kill()
        kills += 1
    assert kills > 1
    got = seqs(collector)
    assert missing(got, RECORDS) == []
    first_times = list(dict.fromkeys(got))
    assert first_times == sorted(first_times)
    assert len(got) - RECORDS <= 50 * 2 * kills


@pytest.mark.parametrize("spool", ["onTrouble", "always"])
def test_what_was_tried_before_a_kill_comes_under_the_same_keys(agent, collector, mosquitto, spool):
    collector.default = Answer(503)
    agent.configure(pipeline({"type": "mqtt", "url": mosquitto.url, "topics": ["plant/#"], "qos": 1},
                             http_sink(collector, records=10, inFlight=2),
                             delivery=quick_retry(spool=spool)))
    agent.start()
    mosquitto.wait_log("Sending SUBACK")
    mosquitto.publish_lines("plant/x", [json.dumps({"seq": seq}) for seq in range(100)])
    agent.wait_for(lambda: spooled(agent) == 100, what="all in the journal")
    collector.wait_requests(len(collector.requests) + 2)
    agent.kill()
    collector.wait_quiet()
    tried = {request.body: request.headers["idempotency-key"] for request in collector.requests}
    refused = len(collector.requests)
    collector.default = Answer()
    agent.start()
    collector.wait_records(100)
    agent.terminate()
    assert agent.wait() == 0
    expect_each_once(seqs(collector), 100)
    again = {request.body: request.headers["idempotency-key"]
             for request in collector.requests[refused:]}
    assert tried.items() <= again.items()


def test_a_healthy_sink_leaves_the_journal_without_payload(agent, collector, telemetry):
    agent.configure(spooling(file_source(telemetry(RECORDS)), collector, "onTrouble"))
    assert agent.run() == 0
    expect_each_once(seqs(collector), RECORDS)
    assert "spooled" not in agent.log
    assert journal(agent, "SELECT count(*) FROM spool") == [(0,)]


def test_sigterm_in_trouble_ends_at_once_and_leaves_the_rest_in_the_journal(
        agent, collector, telemetry, tmp_path):
    path = tmp_path / "input.jsonl"
    path.write_bytes(telemetry(RECORDS).read_bytes())
    collector.down()
    agent.configure(spooling(file_source(path, follow=True), collector, "onTrouble"))
    agent.start()
    wait_all_read(agent, path)
    agent.terminate()
    assert agent.wait() == 0
    assert spooled(agent) == RECORDS
    agent.wait_log(f"{RECORDS:,} not delivered yet")


def test_the_spool_stays_within_max_spool_and_block_loses_nothing(agent, collector, telemetry):
    collector.down()
    agent.configure(spooling(file_source(telemetry(50_000)), collector, maxSpool="128KiB"))
    agent.start()
    agent.wait_log("the spool is full .128.0 KiB.: the source is held back")
    collector.up()
    assert agent.wait() == 0
    expect_each_once(seqs(collector), 50_000)
    # One batch more than maxSpool at most, and SQLite's own pages.
    assert (agent.data_dir / "journal.db").stat().st_size < 400 * 1024


def test_drop_oldest_keeps_the_latest_and_counts_the_rest(agent, collector, telemetry, tmp_path):
    path = tmp_path / "input.jsonl"
    path.write_bytes(telemetry(50_000).read_bytes())
    collector.down()
    agent.configure(spooling(file_source(path, follow=True), collector, maxSpool="128KiB",
                             overflow="dropOldest"))
    agent.start()
    agent.wait_log("the oldest records are dropped")
    wait_all_read(agent, path)
    collector.up()
    agent.wait_for(lambda: collector.accepted and seqs(collector)[-1] == 49_999,
                   what="the last record")
    agent.terminate()
    assert agent.wait() == 0
    dropped = 50_000 - len(set(seqs(collector)))
    assert dropped > 10_000
    assert f"{dropped:,} dropped at maxSpool" in agent.log
    assert "nothing is lost" not in agent.log  # as where it holds the source back


def test_what_waited_is_caught_up_with_at_the_rate_that_was_asked_for(agent, collector, telemetry):
    path = telemetry(5000)
    collector.down()
    agent.configure(spooling(file_source(path, follow=True), collector, catchUp="200KiB"))
    agent.start()
    wait_all_read(agent, path)
    begun = time.monotonic()
    collector.up()
    collector.wait_records(5000)
    took = time.monotonic() - begun
    agent.terminate()
    assert agent.wait() == 0
    expect_each_once(seqs(collector), 5000)
    # What is on its way already, and the last row, wait for nothing.
    assert took > (path.stat().st_size / (200 * 1024)) / 3


def test_after_drop_oldest_a_kill_and_a_reload_what_is_left_is_delivered_and_reading_goes_on(
        agent, collector, telemetry, tmp_path):
    """The numbers at the ends of a spool with a hole in it are not what it holds."""
    path = tmp_path / "input.jsonl"
    path.write_bytes(telemetry(50_000).read_bytes())
    collector.down()

    def configure(longest):
        one = spooling(file_source(path, follow=True), collector, maxSpool="64KiB",
                       overflow="dropOldest")
        one["delivery"]["retry"]["max"] = longest
        agent.configure(one, drainTimeout="1s")

    configure("500ms")
    agent.start()
    wait_all_read(agent, path)
    agent.kill()
    kept = spooled(agent)
    assert kept < 25_000
    agent.start()
    agent.wait_log(rf"{kept:,} spooled records \(\d\d\.\d KiB\) to be delivered first")
    configure("400ms")
    agent.send(signal.SIGHUP)
    agent.wait_log("configuration taken over")
    with open(path, "a", encoding="utf8") as file:
        file.writelines(f'{{"seq":{n}}}\n' for n in range(50_000, 50_010))
    collector.up()
    agent.wait_for(lambda: collector.accepted and seqs(collector)[-1] == 50_009,
                   what="the last record")
    agent.terminate()
    assert agent.wait() == 0
    assert len(set(seqs(collector))) == kept + 10
    assert "not delivered yet" not in agent.log_lines("done: ")[-1]


def test_drop_newest_keeps_the_first_and_counts_the_rest(agent, collector, telemetry, tmp_path):
    path = tmp_path / "input.jsonl"
    path.write_bytes(telemetry(50_000).read_bytes())
    collector.down()
    agent.configure(spooling(file_source(path, follow=True), collector, maxSpool="128KiB",
                             overflow="dropNewest"))
    agent.start()
    agent.wait_log("records that come now are dropped")
    wait_all_read(agent, path)
    kept = spooled(agent)
    assert kept < 40_000
    collector.up()
    collector.wait_records(kept)
    agent.terminate()
    assert agent.wait() == 0
    assert seqs(collector) == list(range(kept))
    assert f"{50_000 - kept:,} dropped at maxSpool" in agent.log


@pytest.fixture
def disk(tmp_path, make_agent):  # make_agent: agents end before the disk goes
    if not can_mount(tmp_path):
        pytest.skip("mounting a small file system needs root with CAP_SYS_ADMIN")
    with SmallDisk(tmp_path / "disk", "2m") as small:
        yield small


def test_a_full_disk_holds_the_source_back_and_loses_nothing(agent, collector, telemetry, disk):
    agent.data_dir = disk.folder / "data"
    collector.down()
    agent.configure(spooling(file_source(telemetry(120_000)), collector))
    agent.start()
    agent.wait_log("journal cannot take records.*full")
    collector.up()
    assert agent.wait(120) == 0
    expect_each_once(seqs(collector), 120_000)


@pytest.mark.usefixtures("dynamic_binary")
def test_after_a_failed_fsync_nothing_is_journaled_and_what_is_delivered_is_all_there(
        agent, collector, telemetry, tmp_path):
    disk = FailingFsync(tmp_path)
    collector.down()
    agent.configure(spooling(file_source(telemetry(RECORDS)), collector))
    disk.fail()
    agent.start(env=disk.env)
    agent.wait_log("error leat: .*fsync.*restart leat")
    agent.kill()
    disk.flag.unlink()
    collector.up()
    assert agent.run() == 0
    expect_each_once(seqs(collector), RECORDS)


@pytest.mark.usefixtures("dynamic_binary")
def test_a_journal_that_takes_nothing_does_not_stop_a_healthy_sink(
        agent, collector, telemetry, tmp_path):
    disk = FailingFsync(tmp_path)
    disk.fail()
    agent.configure(spooling(file_source(telemetry(RECORDS)), collector))
    agent.start(env=disk.env)
    assert agent.wait() == 0
    assert missing(seqs(collector), RECORDS) == []


def test_spooled_records_follow_a_sink_that_was_configured_anew(
        agent, collector, telemetry, tmp_path):
    path = tmp_path / "input.jsonl"
    path.write_bytes(telemetry(RECORDS).read_bytes())
    collector.down()
    source = file_source(path, follow=True)
    agent.configure(spooling(source, collector))
    agent.start()
    wait_all_read(agent, path)
    agent.kill()
    database = tmp_path / "out.db"
    agent.configure(pipeline(source, {"type": "sqlite", "path": str(database), "table": "t",
                                      "createTable": True}))
    agent.start()
    agent.wait_for(lambda: database.exists() and rows(database) == RECORDS, what="all rows")
    agent.terminate()
    assert agent.wait() == 0


def rows(database):
    try:
        with sqlite3.connect(database) as db:
            return db.execute("SELECT count(DISTINCT seq) FROM t").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def test_records_of_every_type_survive_the_journal(agent, tmp_path):
    record = {"i": 9223372036854775807, "f": 0.1, "d": 1.2345678901234567890123, "s": "grün\n\"",
              "b": True, "n": None, "j": [1, {"a": 2}]}
    path = tmp_path / "input.jsonl"
    text = json.dumps(record, ensure_ascii=False).replace("1.2345678901234568",
                                                          "1.2345678901234567890123")
    path.write_text(text + "\n")
    database = tmp_path / "out.db"
    agent.configure(pipeline(file_source(path),
                             {"type": "sqlite", "path": str(database), "table": "t",
                              "createTable": True},
                             delivery={"spool": "always"}))
    assert agent.run() == 0
    with sqlite3.connect(database) as db:
        db.row_factory = sqlite3.Row
        row = dict(db.execute("SELECT * FROM t").fetchone())
    assert (row["i"], row["f"], row["s"], row["b"], row["n"]) == (
        record["i"], record["f"], record["s"], 1, None)
    assert json.loads(row["j"]) == record["j"]


def test_a_spool_of_a_pipeline_that_is_gone_is_named(agent, collector, telemetry, tmp_path):
    path = tmp_path / "input.jsonl"
    path.write_bytes(telemetry(100).read_bytes())
    collector.down()
    agent.configure(spooling(file_source(path, follow=True), collector))
    agent.start()
    wait_all_read(agent, path)
    agent.kill()
    agent.configure({**spooling(file_source(path), collector, "never"), "name": "other"})
    agent.start()
    agent.wait_log('spooled records of the pipeline "p", which is not configured')
    collector.up()
    assert agent.wait() == 0


def test_dead_letters_of_spooled_records_say_where_they_came_from(agent, collector, tmp_path):
    path = tmp_path / "input.jsonl"
    path.write_text("".join(f'{{"seq":{n}}}\n' for n in range(20)))
    collector.decide = lambda request: Answer(
        400 if any(record["seq"] == 7 for record in request.records) else 204)
    agent.configure(spooling(file_source(path), collector))
    assert agent.run() == 0
    letters = agent.dead_letters()
    assert [letter["raw"] for letter in letters] == ['{"seq":7}']
    assert letters[0]["source"].startswith(str(path))


def test_a_csv_sink_with_a_spool_needs_fixed_columns(agent, collector, telemetry):
    agent.configure(spooling(file_source(telemetry(10)), collector,
                             sink={"type": "http", "url": collector.url, "format": "csv"}))
    done = agent.command("check", "-c", agent.config_path)
    assert done.returncode == 2
    assert "pipelines[0].sink.csv.columns: missing" in done.stderr


def test_exactly_once_goes_with_always_or_never(agent, telemetry, tmp_path):
    sink = {"type": "sqlite", "path": str(tmp_path / "o.db"), "table": "t", "createTable": True}
    agent.configure(pipeline(file_source(telemetry(10)), sink,
                             delivery={"guarantee": "exactlyOnce", "spool": "onTrouble"}))
    done = agent.command("check", "-c", agent.config_path)
    assert done.returncode == 2
    assert 'pipelines[0].delivery.spool: must be "always" or "never", since exactlyOnce' in done.stderr


def mqtt_to(collector, broker_url, **delivery):
    return pipeline({"type": "mqtt", "url": broker_url, "topics": ["plant/#"], "qos": 1},
                    http_sink(collector), delivery=quick_retry(**delivery))


def test_no_puback_precedes_the_commit_that_holds_its_message(agent, mosquitto, collector):
    collector.down()
    acked, journaled = [], []

    def look(packets):
        pubacks = sum(kind == PUBACK and not from_broker for from_broker, kind, _, _ in packets)
        if pubacks:
            acked.append(pubacks)
            # The broker has not got these yet: what is in the journal now was there before.
            agent.wait_for(lambda: spooled(agent) is not None, what="a copy of the journal")
            journaled.append((spooled(agent), sum(acked)))

    proxy = RecordingProxy(mosquitto.port, look)
    agent.configure(mqtt_to(collector, proxy.url))
    agent.start()
    mosquitto.wait_log("Sending SUBACK")
    for first in range(0, 200, 20):
        mosquitto.publish_lines("plant/1", [f'{{"seq": {n}}}' for n in range(first, first + 20)])
    agent.wait_for(lambda: sum(acked) == 200, what="200 acknowledgements")
    assert all(stored is None or stored >= count for stored, count in journaled), journaled
    collector.up()
    collector.wait_records(200)
    expect_each_once(seqs(collector), 200)


@pytest.mark.usefixtures("dynamic_binary")
def test_no_puback_goes_when_the_journal_cannot_be_written(agent, mosquitto, collector, tmp_path):
    collector.down()
    disk = FailingFsync(tmp_path)
    disk.fail()
    proxy = RecordingProxy(mosquitto.port)
    agent.configure(mqtt_to(collector, proxy.url))
    agent.start(env=disk.env)
    mosquitto.wait_log("Sending SUBACK")
    mosquitto.publish_lines("plant/1", [f'{{"seq": {n}}}' for n in range(20)])
    agent.wait_log("journal cannot take records")
    assert proxy.of(PUBACK) == []
    # The sink does: acknowledged when it has them.
    collector.up()
    collector.wait_records(20)
    agent.wait_for(lambda: len(proxy.of(PUBACK)) == 20, what="20 acknowledgements")
    expect_each_once(seqs(collector), 20)


def test_at_max_spool_block_leaves_messages_with_the_broker(agent, mosquitto, collector):
    collector.down()
    proxy = RecordingProxy(mosquitto.port)
    agent.configure(mqtt_to(collector, proxy.url, maxSpool="64KiB"))
    agent.start()
    mosquitto.wait_log("Sending SUBACK")
    # Of random bytes, which no compression makes smaller.
    lines = [f'{{"seq": {n}, "noise": "{secrets.token_hex(500)}"}}' for n in range(1000)]
    mosquitto.publish_lines("plant/1", lines)
    agent.wait_log("the spool is full .64.0 KiB.: the source is held back")
    assert len(proxy.of(PUBACK)) < 900
    collector.up()
    collector.wait_records(1000)
    expect_each_once(seqs(collector), 1000)
    assert len(proxy.of(PUBLISH, from_broker=True)) == 1000


def test_a_healthy_sink_has_mqtt_messages_without_a_byte_in_the_spool(agent, mosquitto, collector):
    agent.configure(mqtt_to(collector, mosquitto.url))
    agent.start()
    mosquitto.wait_log("Sending SUBACK")
    mosquitto.publish_lines("plant/1", [f'{{"seq": {n}}}' for n in range(500)])
    collector.wait_records(500)
    agent.terminate()
    assert agent.wait() == 0
    assert " spooled" not in agent.log
