"""Transforms on further loops: the same records in the same order as on one."""

import json
import signal

import pytest

from faults.kill_loop import KillLoop
from harness.pipelines import file_source, http_sink, pipeline, quick_retry

# Some µs a record: what more loops are for.
HEAVY = {"type": "map", "set": {"h": "length(hex(printf('%.3000c', text)))"}}
AT_ONCE = {"max": 2, "threshold": 0}


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
    for path in agent.folder.glob("**/journal.db*"):
        path.unlink()
    agent.configure(pipeline(source, to_file(agent, "more.out"), *transforms, parallel=AT_ONCE))
    assert agent.run() == 0, agent.log
    assert (agent.folder / "more.out").read_bytes() == (agent.folder / "one.out").read_bytes()
    parallel = run_of(agent)["parallel"]
    assert parallel["most"] == 2 and parallel["breaches"] >= 2, parallel
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
    for part, rest in enumerate([{"parallel": {"max": 1, "threshold": 0}}, {}, {"parallel": AT_ONCE}], 1):
        agent.wait_for(lambda: collector.line_count() > part * count / 5 or not agent.running())
        configure(**rest)
        agent.send(signal.SIGHUP)
    assert agent.wait(120) == 0, agent.log
    assert [record["seq"] for record in collector.records()] == list(range(count))


def test_explain_says_which_stages_run_where(agent):
    agent.configure(pipeline(
        file_source("x.jsonl"), to_file(agent, "out"), HEAVY, {"type": "dedupe", "key": ["seq"]},
        {"type": "filter", "where": "seq > 1"}, parallel={"max": 4}))
    answer = agent.command("explain", "-c", agent.config_path)
    assert ("  parallel  2 map, 4 filter: on up to 4 further loops, 2 times as many each time that more "
            "than 2 batches wait\n"
            "            on the pipeline's own loop: 1 decode json, 3 dedupe (remembers), 5 encode ndjson\n"
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
