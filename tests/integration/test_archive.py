"""The file sink with fields in its path: a store of partitions, finished one by one."""

import gzip
import json
import zlib

import pytest

from faults.kill_loop import KillLoop
from harness.pipelines import file_source, pipeline
from harness.telemetry import expect_each_once, missing, seqs_of

RECORDS = 20000


def archive(folder, path, **options):
    folder.mkdir(exist_ok=True)
    return {"type": "file", "path": str(folder / path), "format": "ndjson", **options}


def finished(folder):
    """The content of all that has its name."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*.ndjson")))


def unpacked(packed):
    """What is in the members of a gzip file, the last of which may be cut off."""
    content = b""
    while packed:
        member = zlib.decompressobj(wbits=31)
        content += member.decompress(packed)
        packed = member.unused_data
    return content


def written(folder, content=lambda stored: stored):
    """Lines of all that is there, finished or not."""
    lines = 0
    for path in folder.rglob("*.ndjson*"):
        try:
            lines += content(path.read_bytes()).count(b"\n")
        except FileNotFoundError:
            pass  # it has just got its name
    return lines


def test_records_go_to_the_folders_of_their_values_and_days(agent):
    rows = [{"table": "orders", "t": "2026-01-02T23:59:59Z", "id": 1},
            {"table": "orders", "t": "2026-01-03T00:00:00+02:00", "id": 2},
            {"table": "a/b", "t": "2026-01-03T00:00:00Z", "id": 3},
            {"table": None, "t": "2026-01-03T00:00:00Z", "id": 4}]
    source = agent.folder / "rows.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    store = agent.folder / "store"
    agent.configure(pipeline(
        file_source(source, time={"field": "t"}),
        archive(store, "{table}/dt={_time:%Y-%m-%d}/part.csv", format="csv", successFile=True)))
    assert agent.run() == 0
    assert sorted(str(path.relative_to(store)) for path in store.rglob("*") if path.is_file()) == [
        f"{folder}/{name}"
        for folder in ("__HIVE_DEFAULT_PARTITION__/dt=2026-01-03", "a%2Fb/dt=2026-01-03",
                       "orders/dt=2026-01-02")
        for name in ("_SUCCESS", "part.csv")]
    assert (store / "orders/dt=2026-01-02/part.csv").read_text() == (
        "table,t,id\norders,2026-01-02T23:59:59Z,1\norders,2026-01-03T00:00:00+02:00,2\n")


def test_nothing_is_missing_from_finished_files_after_kills(agent, telemetry):
    store = agent.folder / "store"
    agent.configure(pipeline(
        file_source(telemetry(RECORDS)),
        archive(store, "third={third}/{part}.ndjson", openFiles=2, rotate={"bytes": "20KiB"},
                batch={"records": 200, "linger": "10ms"}),
        {"type": "map", "set": {"third": "seq % 3", "part": "seq / 5000"}}))
    loop = KillLoop(agent, lambda: written(store), RECORDS)
    assert loop.run(10) == 0, agent.log[-3000:]
    assert loop.killed >= 5
    assert list(store.rglob("*.part")) == []
    assert missing(seqs_of(finished(store)), RECORDS) == []
    assert all(path.stat().st_size <= 20 * 1024 for path in store.rglob("*.ndjson"))


def test_what_a_kill_left_is_finished_by_the_next_run(agent, telemetry):
    """Also of values that do not come again."""
    store = agent.folder / "store"
    half = {"type": "map", "set": {"half": "seq / 500"}}
    agent.configure(pipeline(file_source(telemetry(1000), follow=True),
                             archive(store, "{half}.ndjson"), half))
    agent.start()
    agent.wait_for(lambda: written(store) == 1000)
    agent.kill()
    assert finished(store) == b""
    nothing = agent.folder / "nothing.jsonl"
    nothing.touch()
    agent.configure(pipeline(file_source(nothing), archive(store, "{half}.ndjson"), half))
    assert agent.run() == 0
    expect_each_once(seqs_of(finished(store)), 1000)


def test_records_that_were_spooled_find_their_files(agent, telemetry):
    store = agent.folder / "store"
    agent.configure(pipeline(
        file_source(telemetry(1000)), archive(store, "{third}/x.ndjson"),
        {"type": "map", "set": {"third": "seq % 3"}}, delivery={"spool": "always"}))
    assert agent.run() == 0
    expect_each_once(seqs_of(finished(store)), 1000)
    assert all(seq % 3 == 1 for seq in seqs_of((store / "1/x.ndjson").read_bytes()))


def test_packed_files_of_an_archive_are_read_again_after_kills(agent, telemetry):
    """By Python, and by the file source."""
    store = agent.folder / "store"
    agent.configure(pipeline(
        file_source(telemetry(RECORDS)),
        archive(store, "third={third}/part.ndjson.gz", compression="gzip", rotate={"bytes": "20KiB"},
                batch={"records": 200, "linger": "10ms"}),
        {"type": "map", "set": {"third": "seq % 3"}}))
    loop = KillLoop(agent, lambda: written(store, unpacked), RECORDS)
    assert loop.run(10) == 0, agent.log[-3000:]
    assert loop.killed >= 5
    content = b"".join(gzip.decompress(path.read_bytes()) for path in sorted(store.rglob("*.gz")))
    assert missing(seqs_of(content), RECORDS) == []
    assert list(store.rglob("*.part")) == []
    again = agent.folder / "again.ndjson"
    agent.configure(pipeline(file_source(str(store / "*" / "*.gz")),
                             {"type": "file", "path": str(again), "format": "ndjson"}))
    assert agent.run() == 0
    assert sorted(again.read_bytes().splitlines()) == sorted(content.splitlines())


def test_a_record_without_a_path_is_a_dead_letter(agent, telemetry):
    store = agent.folder / "store"
    agent.configure(pipeline(
        file_source(telemetry(10)), archive(store, "{name}/x.ndjson"),
        {"type": "map", "set": {"name": "CASE WHEN seq = 3 THEN printf('%0300d', seq) ELSE 'a' END"}}))
    assert agent.run() == 0
    assert sorted(seqs_of(finished(store))) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert "the path of its file is too long" in agent.dead_letters()[0]["reason"]


@pytest.mark.parametrize(("path", "why"), [
    ("/tmp/{", 'pipelines[0].sink.path: a "{" is not closed'),
    ("/tmp/{_time}", 'pipelines[0].sink.path: "{_time}" needs a form'),
    ("/tmp/{_time:%E}", 'pipelines[0].sink.path: "{_time:%E}" is no form of a time'),
    ("/nowhere/{a}/x", "pipelines[0].sink.path: open /nowhere: no such file"),
])
def test_a_bad_path_is_told_with_its_place(agent, path, why):
    agent.configure(pipeline(file_source("/dev/null"), {"type": "file", "path": path}))
    done = agent.command("check", "-c", agent.config_path)
    assert done.returncode == 2
    assert why in done.stderr


def test_exactly_once_is_refused(agent, telemetry):
    agent.configure(pipeline(file_source(telemetry(1)), archive(agent.folder / "store", "{a}/x"),
                             delivery={"guarantee": "exactlyOnce"}))
    done = agent.command("check", "-c", agent.config_path)
    assert done.returncode == 2
    assert 'the sink "file" cannot store the position with the data' in done.stderr
