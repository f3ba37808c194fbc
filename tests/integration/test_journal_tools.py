"""`leat spool`, `positions` and `journal`: of an agent that runs, and of a journal that none has."""

import json
import re
import shutil
import sqlite3

import pytest

from harness.output import conforming
from harness.pipelines import file_source, http_sink, pipeline, quick_retry
from harness.ports import free_port
from harness.waiting import wait_for


def leat(agent, *words):
    return agent.command(*words, "--data-dir", str(agent.data_dir))


def answer(agent, *words):
    done = leat(agent, *words, "--json")
    form = "journalVerify" if words[0] == "journal" else words[0]
    return conforming(done.stdout, form) if done.returncode == 0 else {}


def spooled(agent):
    return sum(one["records"] for one in answer(agent, "spool").get("spools", []))


def to_nobody():
    return {"type": "http", "url": f"http://127.0.0.1:{free_port()}/", "format": "ndjson"}


def seqs(lines):
    return [json.loads(json.loads(line)["raw"])["seq"] for line in lines.splitlines()]


@pytest.fixture
def backlog(agent, telemetry):
    """An agent that has spooled 300 records, since its sink is away."""
    agent.configure(pipeline(file_source(telemetry(300), follow=True), to_nobody(),
                             delivery=quick_retry(spool="always")))
    agent.start()
    # Asked before the agent has it, the journal would be opened by the command, and kept from it.
    wait_for(lambda: agent.data_dir.joinpath("leat.sock").exists())
    wait_for(lambda: spooled(agent) == 300)
    return agent


def test_what_is_spooled_is_shown_exported_and_dropped_while_the_agent_runs(backlog):
    agent = backlog
    row = leat(agent, "spool").stdout.splitlines()[1].split()
    assert row[:2] == ["p", "300"] and row[4] == "0%"
    assert seqs(leat(agent, "spool", "show", "p", "-n", "3").stdout) == [0, 1, 2]
    assert seqs(leat(agent, "spool", "export", "p").stdout) == list(range(300))
    sent = leat(agent, "spool", "export", "p", "--payload").stdout.splitlines()
    assert [json.loads(line)["seq"] for line in sent] == list(range(300)), "as the sink would get it"
    kept = leat(agent, "spool", "drop", "p", "--before", "1h")
    assert kept.stdout == "p: nothing is spooled that would be dropped\n", kept.stderr

    unclear = leat(agent, "spool", "drop", "p")
    assert unclear.returncode == 2 and "--all" in unclear.stderr
    dropped = leat(agent, "spool", "drop", "p", "--all")
    assert dropped.returncode == 0, dropped.stderr
    assert "go as it starts anew, now" in dropped.stdout
    wait_for(lambda: spooled(agent) == 0)
    agent.wait_log("300 spooled records dropped, as ordered")
    unknown = leat(agent, "spool", "show", "q")
    assert (unknown.returncode, unknown.stderr) == (
        2, 'leat: the journal has no spool of a pipeline "q"\n')


def test_without_an_agent_the_journal_itself_is_asked_and_says_so(backlog, collector):
    agent = backlog
    agent.kill()
    shown = leat(agent, "spool", "show", "p", "-n", "2")
    assert seqs(shown.stdout) == [0, 1]
    assert shown.stderr == f"leat: no agent runs here: reading {agent.data_dir}/journal.db\n"
    dropped = leat(agent, "spool", "drop", "p", "--all")
    assert dropped.stdout.startswith("p: 300 records (") and dropped.stdout.endswith(" dropped\n")
    assert leat(agent, "spool").stdout == "nothing is spooled\n"
    reset = leat(agent, "positions", "reset", "p")
    assert reset.returncode == 0, reset.stderr
    assert "bytes come twice" in reset.stdout and "when it starts next" in reset.stdout
    config = json.loads(agent.config_path.read_text())
    config["pipelines"][0]["sink"]["url"] = collector.url
    agent.write_config(config)
    agent.start()
    collector.wait_records(300)


def test_where_there_is_neither_an_agent_nor_a_journal_nothing_is_made(agent):
    done = leat(agent, "positions")
    assert done.returncode == 2
    assert done.stderr == ("leat: there is neither an agent nor a journal in the data folder "
                           f"{agent.data_dir}\n")
    assert not agent.data_dir.exists()


def test_a_running_pipeline_is_sent_to_the_start_the_end_and_a_place_between(
        agent, collector, telemetry):
    path = telemetry(100)
    agent.configure(pipeline(file_source(path, follow=True), http_sink(collector)))
    agent.start()
    collector.wait_records(100)

    def has_read(size):
        return f"byte {size}," in leat(agent, "positions").stdout

    size = path.stat().st_size
    wait_for(lambda: has_read(size))
    assert answer(agent, "positions", "p")["positions"][0]["pipeline"] == "p"
    done = leat(agent, "positions", "reset", "p", "--file", path)
    assert re.fullmatch(rf"{path}: from byte {size} to 0: {size:,} bytes come twice "
                        r"\(counted from what was saved at \d{4}-\S+Z; more where it has come further since\)\n"
                        r"p: starts anew, and goes on from there\n", done.stdout), done
    collector.wait_records(200)
    wait_for(lambda: has_read(size))

    lines = path.read_bytes().splitlines(keepends=True)
    place = sum(map(len, lines[:90]))
    done = leat(agent, "positions", "reset", "p", "--to", str(place + 3))
    assert f"to {place}: {size - place:,} bytes come twice" in done.stdout, done.stderr
    collector.wait_records(210)
    wait_for(lambda: has_read(size))
    done = leat(agent, "positions", "reset", "p", "--to", "end")
    assert "nothing changes" in done.stdout
    wrong = leat(agent, "positions", "reset", "p", "--file", "/nowhere")
    assert wrong.returncode == 2 and "leat positions" in wrong.stderr


def test_the_end_is_that_of_when_it_was_ordered(agent, collector, telemetry):
    """What is written before the stopped agent starts again was not said to be skipped."""
    path = agent.folder / "in.jsonl"
    shutil.copy(telemetry(20), path)
    agent.configure(pipeline(file_source(path, follow=True), http_sink(collector)))
    agent.start()
    collector.wait_records(20)
    agent.terminate()
    assert agent.wait() == 0
    with open(path, "a", encoding="utf8") as file:
        file.write('{"seq":20}\n')
    done = leat(agent, "positions", "reset", "p", "--to", "end")
    assert "11 bytes are skipped" in done.stdout, done.stderr
    with open(path, "a", encoding="utf8") as file:
        file.write('{"seq":21}\n')
    agent.start()
    collector.wait_records(21)
    assert [record["seq"] for record in collector.records()][20:] == [21]


@pytest.mark.parametrize("running", [True, False])
def test_with_exactly_once_the_sinks_own_positions_are_reset(agent, telemetry, running):
    database = agent.folder / "out.db"
    path = agent.folder / "in.jsonl"
    shutil.copy(telemetry(50), path)
    agent.configure(pipeline(file_source(path, follow=True),
                             {"type": "sqlite", "path": str(database), "table": "t",
                              "batch": {"linger": "10ms"}},
                             delivery={"guarantee": "exactlyOnce"}))

    def rows():
        try:
            return sqlite3.connect(database).execute("SELECT count(*) FROM t").fetchone()[0]
        except sqlite3.OperationalError:
            return 0

    agent.start()
    wait_for(lambda: rows() == 50)
    if not running:
        agent.kill()
    done = leat(agent, "positions", "reset", "p")
    assert done.returncode == 0, done.stderr
    if not running:
        agent.start()
    wait_for(lambda: rows() == 100)
    agent.kill()
    agent.start()
    with open(path, "ab") as file:
        file.write(path.read_bytes().splitlines(keepends=True)[0])
    wait_for(lambda: rows() > 100)
    assert rows() == 101, "the order was carried out once"


def test_a_journal_is_verified_and_compacted_whether_an_agent_has_it_or_not(backlog):
    agent = backlog
    for _ in range(2):
        verified = answer(agent, "journal", "verify")
        assert verified["ok"] and verified["spooledRecords"] == 300
        done = leat(agent, "journal", "compact")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("the journal had ")
        assert spooled(agent) == 300
        agent.kill()
    path = agent.data_dir / "journal.db"
    content = bytearray(path.read_bytes())
    content[-1536:] = bytes(1536)  # of the last batch
    path.write_bytes(content)
    done = leat(agent, "journal", "verify")
    assert done.returncode == 1
    assert " problem" in done.stdout
    assert path.read_bytes() == content
