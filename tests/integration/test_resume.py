"""kill -9 and restart: nothing is lost, and no more comes twice than is said.

scripts/kill-test does the same with more kills.
"""

import json
import sqlite3

import pytest

from faults.kill_loop import file_to_http, file_to_sqlite
from harness.collector import Answer
from harness.telemetry import expect_each_once, missing

RECORDS = 40000
KILLS = 15
TRANSFORMS = [
    {"type": "filter", "where": "seq >= 0"},
    {"type": "map", "rename": {"temp": "temperature"}, "set": {"site": "'north'"}, "drop": ["vib"]},
]


@pytest.mark.parametrize(("transforms", "commit_every"), [([], "0ms"), (TRANSFORMS, None)],
                         ids=["pass_through", "filter_and_map"])
def test_every_line_arrives_at_http_after_kills(agent, collector, telemetry, transforms,
                                                commit_every):
    """With "0ms" no more comes twice than was in flight."""
    collector.default = Answer(delay=0.003)
    loop, times = file_to_http(agent, collector, telemetry(RECORDS), RECORDS, KILLS,
                               transforms=transforms, commit_every=commit_every)
    assert loop.killed >= KILLS // 2  # a fast machine may be done before the last
    assert missing(times, RECORDS) == []


def test_every_line_is_in_sqlite_exactly_once_after_kills(agent, telemetry):
    database = agent.folder / "out.db"
    loop = file_to_sqlite(agent, database, telemetry(RECORDS), RECORDS, KILLS)
    assert loop.killed >= KILLS // 2  # a fast machine may be done before the last
    rows = sqlite3.connect(database).execute("SELECT seq FROM readings")
    expect_each_once([seq for (seq,) in rows], RECORDS)


def test_a_csv_with_a_header_resumes_in_the_middle(agent, collector):
    """The header stands at the start only: who resumes must have seen it."""
    path = agent.folder / "data.csv"
    path.write_text("seq,text\n" + "".join(f'{n},"line {n}, ""quoted""\nand broken"\n'
                                           for n in range(RECORDS // 4)))
    collector.default = Answer(delay=0.003)
    source = {"type": "file", "path": [str(path)], "format": "csv"}
    _, times = file_to_http(agent, collector, path, RECORDS // 4, 5, source=source, batch=50)
    assert missing(times, RECORDS // 4) == []
    texts = {record["seq"]: record["text"] for record in collector.records()}
    assert texts[0] == 'line 0, "quoted"\nand broken'
    assert texts[9999] == 'line 9999, "quoted"\nand broken'


def test_a_gzip_file_resumes_in_the_middle(agent, collector, telemetry):
    import gzip
    path = agent.folder / "data.jsonl.gz"
    path.write_bytes(gzip.compress(telemetry(RECORDS // 4).read_bytes(), 1))
    collector.default = Answer(delay=0.003)
    _, times = file_to_http(agent, collector, path, RECORDS // 4, 5, batch=50)
    assert missing(times, RECORDS // 4) == []


def test_a_second_run_finds_all_delivered(agent, collector, telemetry):
    agent.configure({
        "source": {"type": "file", "path": [str(telemetry(1000))], "format": "json"},
        "sink": {"type": "http", "url": collector.url, "format": "ndjson"}})
    assert agent.run() == 0
    assert agent.run() == 0
    expect_each_once([record["seq"] for record in collector.records()], 1000)


def test_a_server_that_stores_by_key_has_every_record_once_after_kills(agent, collector, telemetry):
    """Where a batch ends depends on time; after a kill it must end there again."""
    records = RECORDS // 2
    collector.default = Answer(delay=0.003)
    loop, times = file_to_http(agent, collector, telemetry(records), records, KILLS, batch=1000,
                               linger="1ms", limits={"recordsPerSecond": 10000})
    assert loop.killed >= KILLS // 2
    stored = {}
    repeated = 0
    for request in collector.accepted:
        key = request.headers["idempotency-key"]
        repeated += key in stored
        assert stored.setdefault(key, request.body) == request.body, "one key, two bodies"
    seqs = [json.loads(line)["seq"] for body in stored.values() for line in body.splitlines()]
    expect_each_once(seqs, records)
    assert repeated > 0 and sum(times.values()) > records, "no kill came while something was in flight"


def test_the_idempotency_key_of_a_batch_is_the_same_after_a_restart(agent, collector, telemetry):
    """What came twice came under one key, so that a receiver can tell."""
    collector.default = Answer(status=503)
    agent.configure({
        "source": {"type": "file", "path": [str(telemetry(500))], "format": "json"},
        "sink": {"type": "http", "url": collector.url, "format": "ndjson", "inFlight": 1,
                 "batch": {"records": 100}}})
    agent.start()
    collector.wait_requests(1)
    agent.kill()
    collector.wait_quiet()
    refused = len(collector.requests)
    collector.default = Answer()
    assert agent.run() == 0
    first, again = collector.requests[0], collector.requests[refused]
    assert first.body == again.body
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"]
    keys = [request.headers["idempotency-key"] for request in collector.accepted]
    assert len(set(keys)) == 5
