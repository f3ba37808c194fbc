"""Transforms on further loops: the same records in the same order as on one."""

import json
import signal
import sqlite3
import subprocess

import pytest

from faults.kill_loop import KillLoop
from harness.collector import Answer
from harness.pipelines import file_source, http_sink, pipeline, quick_retry
from harness.waiting import wait_for

# Some µs a record: what more loops are for.
HEAVY = {"type": "map", "set": {"h": "length(hex(printf('%.3000c', text)))"}}
AT_ONCE = {"max": 2}


def write(path, count):
    with open(path, "w", encoding="utf8") as lines:
        lines.writelines(json.dumps({"seq": seq, "text": f"number {seq}", "device": f"d{seq % 7}"}) + "\n"
                         for seq in range(count))
    return path


def to_file(agent, name):
    return {"type": "file", "path": str(agent.folder / name), "format": "ndjson"}


def run_of(agent):
    answer = agent.command("runs", "--json", "-c", agent.config_path)
    return json.loads(answer.stdout)["runs"][0]


@pytest.mark.parametrize("transforms", [
    [HEAVY],
    [{"type": "filter", "where": "seq % 3 <> 1"}, HEAVY,
     {"type": "sql", "query": "SELECT seq, device, h, text FROM input WHERE seq % 5 <> 0"}],
    [HEAVY, {"type": "window", "every": "1s", "key": "device", "set": {"n": "count(*)", "last": "last(seq)"}},
     {"type": "map", "set": {"x": "n + last"}}],
], ids=["map", "three", "with_a_window"])
def test_the_output_is_that_of_one_loop(agent, transforms):
    source = file_source(write(agent.folder / "in.jsonl", 60_000), time={"field": "seq", "format": "unixMs"})
    agent.configure(pipeline(source, to_file(agent, "one.out"), *transforms))
    assert agent.run() == 0, agent.log
    counted = run_of(agent)["records"]
    for path in agent.folder.glob("**/journal.db*"):
        path.unlink()
    agent.configure(pipeline(source, to_file(agent, "more.out"), *transforms, parallel=AT_ONCE))
    assert agent.run() == 0, agent.log
    assert (agent.folder / "more.out").read_bytes() == (agent.folder / "one.out").read_bytes()
    parallel = run_of(agent)["parallel"]
    assert parallel["most"] == 2 and parallel["breaches"] >= 2, parallel
    assert run_of(agent)["records"] == counted
    assert "transforms on up to 2 further loops" in agent.log


def test_bad_records_are_dead_letters_in_their_order(agent):
    bad = {"type": "map", "set": {"x": "CASE WHEN seq % 1000 = 7 THEN json('{') ELSE h END"}}
    agent.configure(pipeline(file_source(write(agent.folder / "in.jsonl", 60_000)), to_file(agent, "out"),
                             HEAVY, bad, parallel=AT_ONCE))
    assert agent.run() == 0, agent.log
    assert run_of(agent)["parallel"]["most"] == 2
    letters = agent.dead_letters()
    assert [letter["record"]["seq"] for letter in letters] == list(range(7, 60_000, 1000))
    assert all(letter["payload"] for letter in letters)
    seqs = [json.loads(line)["seq"] for line in (agent.folder / "out").read_text().splitlines()]
    assert seqs == [seq for seq in range(60_000) if seq % 1000 != 7]


def test_a_query_that_fails_for_some_records_leaves_the_others_and_names_their_lines(agent):
    query = {"type": "sql", "query": "SELECT seq, h, CASE WHEN seq % 1000 = 7 THEN json('{') END AS x FROM input"}
    path = write(agent.folder / "in.jsonl", 60_000)
    agent.configure(pipeline(file_source(path), to_file(agent, "out"), HEAVY, query, parallel=AT_ONCE))
    assert agent.run() == 0, agent.log
    assert run_of(agent)["parallel"]["most"] == 2
    letters = agent.dead_letters()
    assert [letter["source"] for letter in letters] == [f"{path}:{seq + 1}" for seq in range(7, 60_000, 1000)]
    assert {letter["stage"] for letter in letters} == {"sql"}
    seqs = [json.loads(line)["seq"] for line in (agent.folder / "out").read_text().splitlines()]
    assert seqs == [seq for seq in range(60_000) if seq % 1000 != 7]


def test_files_side_by_side_and_pipelines_on_several_loops_keep_their_order(agent):
    count = 20_000
    paths = [write(agent.folder / f"in{n}.jsonl", count) for n in range(3)]
    agent.configure(
        {"name": "files", **pipeline(file_source(*paths), to_file(agent, "files.out"), HEAVY, parallel=AT_ONCE)},
        {"name": "feeder", **pipeline(file_source(paths[0]), {"type": "channel", "name": "c"})},
        *({"name": f"reader{n}", **pipeline({"type": "channel", "name": "c"}, to_file(agent, f"reader{n}.out"),
                                            {"type": "map", "set": {"seq": f"seq + {n}"}}, HEAVY, parallel=AT_ONCE)}
          for n in range(2)), workers=2, memory="24MiB")
    assert agent.run() == 0, agent.log
    seqs = {}
    for line in (agent.folder / "files.out").read_text().splitlines():
        record = json.loads(line)
        seqs.setdefault(record["seq"], []).append(record)
    assert sorted(seqs) == list(range(count)) and all(len(same) == 3 for same in seqs.values())
    for n in range(2):
        got = [json.loads(line)["seq"] for line in (agent.folder / f"reader{n}.out").read_text().splitlines()]
        assert got == list(range(n, count + n)), f"each subscriber has what it made itself: {n}"
    most = {run["pipeline"]: run.get("parallel", {}).get("most") for run in
            json.loads(agent.command("runs", "--json", "-c", agent.config_path).stdout)["runs"]}
    assert most["files"] == 2, most


def test_exactly_once_holds_over_kills(agent):
    count = 40_000
    database = agent.folder / "out.db"
    agent.configure(pipeline(file_source(write(agent.folder / "in.jsonl", count)),
                             {"type": "sqlite", "path": str(database), "table": "t", "batch": {"records": 500}},
                             HEAVY, delivery=quick_retry(guarantee="exactlyOnce"), parallel=AT_ONCE))

    def rows():
        if not database.exists():
            return 0
        try:
            with sqlite3.connect(database, timeout=20) as opened:
                return opened.execute("SELECT count(*) FROM t").fetchone()[0]
        except sqlite3.OperationalError:  # no table yet
            return 0
    loop = KillLoop(agent, rows, count)
    assert loop.run(6) == 0, agent.log[-3000:]
    assert loop.killed >= 3
    got = [seq for (seq,) in sqlite3.connect(database).execute("SELECT seq FROM t ORDER BY rowid")]
    assert got == list(range(count))


def much(chars):
    return {"type": "map", "set": {"much": f"printf('%.{chars}c', 'q')"}}


@pytest.mark.parametrize("behind", [
    [much(5_000)],
    [much(20_000), {"type": "map", "set": {"many": "length(much)"}, "drop": ["much"]}],
], ids=["kept", "dropped"])
def test_what_becomes_much_behind_what_remembers_is_acknowledged_and_fits(agent, behind):
    heavier = {"type": "map", "set": {"h": "length(hex(printf('%.20000c', text)))"}}
    agent.configure(pipeline(file_source(write(agent.folder / "in.jsonl", 20_000)), to_file(agent, "out"),
                             heavier, {"type": "sample", "nth": 2}, *behind, parallel=AT_ONCE), memory="8MiB")
    seen = []

    def look_until_it_ends():
        answer = agent.command("status", "--json", "--data-dir", agent.data_dir)
        seen.extend(json.loads(answer.stdout)["pipelines"] if answer.returncode == 0 else [])
        return not agent.running()

    agent.start()
    wait_for(look_until_it_ends, 120)
    assert agent.wait() == 0, agent.log
    assert seen and all(one["memoryPeakBytes"] <= 1.3 * one["memoryLimitBytes"] for one in seen), [one["memoryPeakBytes"] for one in seen][-1:]
    assert run_of(agent)["parallel"]["most"] > 0
    assert len((agent.folder / "out").read_text().splitlines()) == 10_000
    assert agent.run() == 0, agent.log
    assert run_of(agent)["records"]["read"] == 0, "its position is saved"


def test_nothing_is_spooled_where_it_is_the_transforms_that_are_slow(agent):
    lines = write(agent.folder / "in.jsonl", 30_000)
    agent.configure(pipeline({"type": "stdin", "format": "json"}, to_file(agent, "out"), HEAVY, parallel=AT_ONCE))
    with open(lines, encoding="utf8") as agent.stdin:
        assert agent.run() == 0, agent.log
    run = run_of(agent)
    assert run["parallel"]["most"] > 0 and run["records"].get("spooled", 0) == 0, run
    assert len((agent.folder / "out").read_text().splitlines()) == 30_000


def test_a_drain_in_the_middle_leaves_nothing_and_repeats_nothing(agent, collector):
    count = 60_000
    agent.configure(pipeline(file_source(write(agent.folder / "in.jsonl", count)),
                             http_sink(collector, records=500, inFlight=1), HEAVY, parallel=AT_ONCE))
    for part in range(1, 4):
        agent.start()
        agent.wait_for(lambda: collector.line_count() > part * count / 5 or not agent.running())
        agent.terminate()
        assert agent.wait() == 0, agent.log
    assert agent.run() == 0, agent.log
    assert [record["seq"] for record in collector.records()] == list(range(count))


def test_memory_holds_while_the_sink_is_slow_and_what_runs_can_be_seen(agent, collector):
    count = 60_000
    # So that at first they are what is slow, and not the sink.
    heavier = {"type": "map", "set": {"h": "length(hex(printf('%.50000c', text)))"}}
    agent.configure(pipeline(file_source(write(agent.folder / "in.jsonl", count)),
                             http_sink(collector, records=500, inFlight=1), heavier, parallel=AT_ONCE))
    agent.start()
    agent.wait_for(lambda: any(one["parallel"]["loops"] for one in agent.status()["pipelines"]))
    collector.default = Answer(delay=0.05)
    with subprocess.Popen([agent.binary, "tap", "p", "-n", "20", "--at", "map", "--data-dir", str(agent.data_dir)],
                          stdout=subprocess.PIPE, text=True) as tap:
        shown = [line["record"] for line in map(json.loads, tap.stdout) if "record" in line]
    assert len(shown) == 20 and all("h" in record for record in shown)
    seen = agent.status()["pipelines"][0]
    collector.default = Answer()
    assert agent.wait() == 0, agent.log
    for records in (seen["records"], run_of(agent)["records"]):
        assert records["read"] == records["delivered"] + records.get("waiting", 0)
    assert seen["memoryPeakBytes"] <= 1.1 * seen["memoryLimitBytes"], seen
    assert [record["seq"] for record in collector.records()] == list(range(count))


def test_kills_lose_nothing_and_change_no_order(agent, collector):
    count = 40_000
    agent.configure(pipeline(file_source(write(agent.folder / "in.jsonl", count)), http_sink(collector, inFlight=1),
                             HEAVY, delivery=quick_retry(), parallel=AT_ONCE))
    loop = KillLoop(agent, collector.line_count, count, settle=collector.wait_quiet)
    assert loop.run(8) == 0, agent.log[-3000:]
    assert loop.killed >= 4
    seen = set()
    for seq in (record["seq"] for record in collector.records()):
        # What comes again begins anew at a place before; what is new follows what was there.
        assert seq in seen or seq == len(seen)
        seen.add(seq)
    assert len(seen) == count


def test_a_reload_changes_how_many_there_are_and_loses_nothing(agent, collector):
    count = 60_000
    source = file_source(write(agent.folder / "in.jsonl", count))

    def configure(**rest):
        agent.configure(pipeline(source, http_sink(collector, records=500, inFlight=1), HEAVY, delivery=quick_retry(), **rest))

    configure(parallel=AT_ONCE)
    agent.start()
    for part, rest in enumerate([{"parallel": {"max": 1}}, {}, {"parallel": AT_ONCE}], 1):
        agent.wait_for(lambda: collector.line_count() > part * count / 5 or not agent.running())
        configure(**rest)
        agent.send(signal.SIGHUP)
    assert agent.wait(120) == 0, agent.log
    assert [record["seq"] for record in collector.records()] == list(range(count))


def test_explain_says_which_stages_run_where(agent):
    agent.configure(pipeline(
        file_source("x.jsonl"), to_file(agent, "out"), HEAVY, {"type": "dedupe", "key": ["seq"]},
        {"type": "filter", "where": "seq > 1"}, {"type": "sql", "query": "SELECT * FROM input"}, parallel={"max": 4}))
    answer = agent.command("explain", "-c", agent.config_path)
    assert ("  parallel  2 map, 4 filter: on up to 4 further loops, 2 times as many each time that more "
            "than 0 batches wait\n"
            "            on the pipeline's own loop: 1 decode json, 3 dedupe (remembers), 5 sql, 6 encode ndjson\n"
            ) in answer.stdout


def test_check_says_which_stages_run_where(agent):
    agent.configure(pipeline(file_source("x.jsonl"), to_file(agent, "out"), HEAVY, parallel={"max": 1}))
    assert "parallel: 2 map" in agent.command("check", "-c", agent.config_path).stdout


def test_check_warns_where_nothing_can_run_elsewhere(agent):
    agent.configure(pipeline(file_source("x.jsonl"), to_file(agent, "out"),
                             {"type": "dedupe", "key": ["seq"]}, parallel={"max": 4}))
    answer = agent.command("check", "-c", agent.config_path)
    assert answer.returncode == 0
    assert "pipelines[0].parallel: no transform of this pipeline can run on another loop" in answer.stderr
