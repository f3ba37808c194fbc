"""Sources, formats and sinks together, as a user puts them together."""

import csv
import gzip
import json
import sqlite3

import pytest

from harness.pipelines import file_source, http_sink, pipeline, where
from harness.telemetry import expect_each_once, seqs_of


def seqs(collector):
    return [record["seq"] for record in collector.records()]


def test_gzip_files_are_read_directly(agent, collector, telemetry):
    path = agent.folder / "data.jsonl.gz"
    path.write_bytes(gzip.compress(telemetry(3000).read_bytes()))
    agent.configure(pipeline(file_source(path), http_sink(collector)))
    assert agent.run() == 0
    expect_each_once(seqs(collector), 3000)


def test_gzip_files_of_several_members_are_read_to_their_end(agent, collector):
    path = agent.folder / "data.gz"
    path.write_bytes(b"".join(gzip.compress(b'{"seq":%d}\n' % n) for n in range(10)))
    agent.configure(pipeline(file_source(path), http_sink(collector)))
    assert agent.run() == 0
    expect_each_once(seqs(collector), 10)


def test_a_gzip_file_that_is_cut_short_is_named_and_its_whole_lines_arrive(agent, collector, telemetry):
    path = agent.folder / "cut.jsonl.gz"
    whole = gzip.compress(telemetry(3000).read_bytes())
    path.write_bytes(whole[:len(whole) // 2])
    agent.configure(pipeline(file_source(path), http_sink(collector)))
    agent.run()
    assert str(path) in agent.log
    got = seqs(collector)
    assert sorted(got) == list(range(len(got))) and len(got) > 1000


def test_a_byte_order_mark_is_no_part_of_the_first_record(agent, collector):
    (agent.folder / "a.csv").write_bytes(b"\xef\xbb\xbfseq,text\n0,a\n1,b\n")
    agent.configure(pipeline(file_source(agent.folder / "a.csv", format="csv"), http_sink(collector)))
    assert agent.run() == 0
    assert collector.records() == [{"seq": 0, "text": "a"}, {"seq": 1, "text": "b"}]


def test_a_byte_order_mark_does_not_pass_through(agent, collector):
    (agent.folder / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"seq":0}\n')
    agent.configure(pipeline(file_source(agent.folder / "a.jsonl"), http_sink(collector)))
    assert agent.run() == 0
    assert collector.requests[0].body == b'{"seq":0}\n'


def test_globs_and_paths_are_read_each_file_once(agent, collector):
    for n in range(5):
        (agent.folder / f"part-{n}.jsonl").write_text(f'{{"seq":{n}}}\n')
    (agent.folder / "other.txt").write_text('{"seq":99}\n')
    agent.configure(pipeline(
        file_source(agent.folder / "part-*.jsonl", agent.folder / "part-3.jsonl"),
        http_sink(collector)))
    assert agent.run() == 0
    expect_each_once(seqs(collector), 5)


def test_many_small_files_are_read_with_few_descriptors(agent, collector):
    """Each is closed when it is read, not when it is delivered; a passing shortage is waited for."""
    for n in range(300):
        (agent.folder / f"{n}.jsonl").write_text(f'{{"seq":{n}}}\n')
    agent.configure({
        "source": {"type": "file", "path": [str(agent.folder / "*.jsonl")], "format": "json"},
        "sink": {"type": "http", "url": collector.url, "format": "ndjson"}})
    assert agent.run(wrap=("prlimit", "--nofile=64:64")) == 0
    expect_each_once([record["seq"] for record in collector.records()], 300)


def test_unchanged_bytes_pass_through_untouched(agent, collector):
    content = b'{ "seq" : 0,  "temp":44.50 }\n{"odd":1e5,"seq":1}\n'
    (agent.folder / "a.jsonl").write_bytes(content)
    agent.configure(pipeline(file_source(agent.folder / "a.jsonl"), http_sink(collector)))
    assert agent.run() == 0
    assert collector.requests[0].body == content


def test_filter_map_and_sql_work_in_a_chain(agent, collector, telemetry):
    agent.configure(pipeline(
        file_source(telemetry(2000)), http_sink(collector),
        where("state <> 'idle'"),
        {"type": "map", "set": {"tempF": "temp * 1.8 + 32", "site": "'north'"},
         "rename": {"temp": "temperature"}, "drop": ["vib"]},
        {"type": "sql", "query": "SELECT seq, site, temperature, tempF, upper(state) AS state "
                                 "FROM input WHERE temperature > 40"}))
    assert agent.run() == 0
    expected = []
    for line in telemetry(2000).read_bytes().splitlines():
        record = json.loads(line)
        if record["state"] != "idle" and record["temp"] > 40:
            expected.append({"seq": record["seq"], "site": "north", "temperature": record["temp"],
                             "tempF": pytest.approx(record["temp"] * 1.8 + 32),
                             "state": record["state"].upper()})
    got = sorted(collector.records(), key=lambda record: record["seq"])
    assert got == expected
    assert len(expected) > 500


def test_an_array_becomes_a_record_for_each_element_and_a_bad_one_a_dead_letter(agent, collector):
    lines = [{"dev": "a", "readings": [{"t": n, "v": n / 2} for n in range(300)]},
             {"dev": "b", "readings": "none"},
             {"dev": "c", "readings": [{"t": 1}, 7]}]
    (agent.folder / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    agent.configure(pipeline(file_source(agent.folder / "a.jsonl"), http_sink(collector),
                             {"type": "explode", "field": "readings", "index": "n"},
                             {"type": "map", "set": {"_time": "t * 1000000"}}))
    assert agent.run() == 0, agent.log
    assert sorted(collector.records(), key=lambda record: (record["dev"], record["n"])) == [
        *({"dev": "a", "t": n, "v": n / 2, "n": n} for n in range(300)),
        {"dev": "c", "t": 1, "n": 0}, {"dev": "c", "readings": 7, "n": 1}]
    (letter,) = (agent.data_dir / "dead-letters" / "p.jsonl").read_text().splitlines()
    assert "readings: is no array" in letter


def test_typed_csv_columns_by_index(agent, collector):
    (agent.folder / "a.csv").write_text(
        "# exported\njunk line\n7;1;0.30;x;2026-01-02 03:04:05\n8;0;-;y;2026-01-02 03:04:06\n# end\n")
    columns = [{"index": 0, "name": "id", "type": "integer"},
               {"index": 1, "name": "on", "type": "bool"},
               {"index": 2, "name": "price", "type": "decimal"},
               {"index": 3, "name": "tag", "type": "string"},
               {"index": 4, "name": "at", "type": "time", "format": "%Y-%m-%d %H:%M:%S"}]
    agent.configure(pipeline(
        file_source(agent.folder / "a.csv", format="csv",
                    csv={"delimiter": ";", "header": False, "startRow": 3, "comment": "#",
                         "nullFormat": "-", "columns": columns}),
        http_sink(collector)))
    assert agent.run() == 0, agent.log
    assert collector.requests[0].body.splitlines() == [
        b'{"id":7,"on":true,"price":0.30,"tag":"x","at":"2026-01-02T03:04:05Z"}',
        b'{"id":8,"on":false,"price":null,"tag":"y","at":"2026-01-02T03:04:06Z"}']


def test_stdout_carries_data_only(agent, telemetry):
    agent.configure(pipeline(file_source(telemetry(3000)), {"type": "stdout", "format": "ndjson"}))
    assert agent.run() == 0
    assert agent.stdout == telemetry(3000).read_bytes()


def test_the_generator_ends_after_its_count(agent):
    agent.configure(pipeline({"type": "generator", "count": 1000, "seed": 7},
                             {"type": "stdout", "format": "ndjson"}))
    assert agent.run() == 0
    first = agent.stdout
    expect_each_once(seqs_of(first), 1000)
    agent.stdout_path.unlink()
    agent.configure({"name": "again", **pipeline({"type": "generator", "count": 1000, "seed": 7},
                                                 {"type": "stdout", "format": "ndjson"})})
    assert agent.run() == 0
    assert agent.stdout == first


def test_rotated_files_hold_every_record_once(agent, telemetry):
    out = agent.folder / "out"
    out.mkdir()
    agent.configure(pipeline(
        file_source(telemetry(5000)),
        {"type": "file", "path": str(out / "readings.ndjson"), "format": "ndjson",
         "rotate": {"bytes": "64KiB"}, "batch": {"records": 100}}))
    assert agent.run() == 0
    files = sorted(out.iterdir())
    assert len(files) >= 5
    assert not [path for path in files if path.name.endswith(".part")]
    expect_each_once([seq for path in files for seq in seqs_of(path.read_bytes())], 5000)


def test_each_rotated_csv_file_has_its_header(agent, telemetry):
    out = agent.folder / "out"
    out.mkdir()
    agent.configure(pipeline(
        file_source(telemetry(2000)),
        {"type": "file", "path": str(out / "readings.csv"), "format": "csv",
         "rotate": {"bytes": "32KiB"}, "batch": {"records": 100}}))
    assert agent.run() == 0
    files = sorted(out.iterdir())
    assert len(files) >= 3
    rows = []
    for path in files:
        with open(path, newline="", encoding="utf8") as file:
            rows += list(csv.DictReader(file))
    expect_each_once([int(row["seq"]) for row in rows], 2000)


def test_sqlite_rows_are_updated_by_key(agent):
    path = agent.folder / "a.jsonl"
    path.write_text('{"device":"a","n":1}\n{"device":"b","n":2}\n{"device":"a","n":3,"extra":"x"}\n')
    database = agent.folder / "out.db"
    agent.configure(pipeline(file_source(path), {"type": "sqlite", "path": str(database),
                                                 "table": "latest", "key": ["device"]}))
    assert agent.run() == 0
    rows = sqlite3.connect(database).execute(
        "SELECT device, n, extra FROM latest ORDER BY device").fetchall()
    assert rows == [("a", 3, "x"), ("b", 2, None)]


def test_two_pipelines_run_side_by_side(agent, make_collector, telemetry):
    first, second = make_collector(), make_collector()
    agent.configure(pipeline(file_source(telemetry(3000)), http_sink(first)),
                    pipeline(file_source(telemetry(2000)), http_sink(second)))
    assert agent.run() == 0
    expect_each_once(seqs(first), 3000)
    expect_each_once(seqs(second), 2000)


def test_two_workers_share_the_pipelines(agent, make_collector, telemetry):
    collectors = [make_collector() for _ in range(4)]
    agent.configure(*(pipeline(file_source(telemetry(3000)), http_sink(collector))
                      for collector in collectors), workers=2)
    assert agent.run() == 0
    for collector in collectors:
        expect_each_once(seqs(collector), 3000)


def test_the_debug_level_shows_connections_requests_batches_and_acknowledgements(agent, collector):
    path = agent.folder / "input"
    path.write_text('{"seq":1}\n{"seq":2}\n')
    agent.configure(pipeline(file_source(path), http_sink(collector)))
    assert agent.run("--log-level", "debug") == 0
    for wanted in ("debug p: read 20 bytes of partition", "debug net: connecting to ",
                   "debug net: connected to ", "debug p: delivery .*: 2 records, 20 bytes",
                   "debug p: POST .*: 20 bytes", r"debug p: POST .*: 2\d\d$", "debug p: delivery .*: delivered",
                   "debug p: acknowledged: .*input up to byte 20"):
        assert agent.log_lines(wanted), wanted
    path.write_text('{"seq":3}\n')
    assert agent.run() == 0
    assert " debug " not in agent.log_of_run
