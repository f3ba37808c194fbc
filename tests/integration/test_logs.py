"""The log as whoever has the night shift reads it."""

import json
import os
import re
import signal
import subprocess

import pytest

from harness.terminal import Terminal
from harness.waiting import DEADLINE, wait_for


def endless(agent, name="press", rate=1000):
    return {"name": name, "source": {"type": "generator", "rate": rate},
            "sink": {"type": "file", "path": str(agent.folder / f"{name}.jsonl")}}


def test_the_first_line_says_what_starts(agent):
    agent.configure(endless(agent, "a"), endless(agent, "b"))
    agent.start()
    agent.wait_log("starts")
    line = agent.log.splitlines()[0]
    assert re.search(rf"info leat: leat \d+\.\d+\.\d+ starts: configuration {agent.config_path}, data folder "
                     rf"{agent.data_dir}, agent \S+, pid {agent.process.pid}, pipelines a, b$", line), line


def test_the_heartbeat_says_how_a_pipeline_without_an_end_does(agent):
    agent.configure(endless(agent), heartbeat="100ms")
    agent.start()
    agent.wait_log(r"info press: [\d,]+ records read.*, [\d,]+ delivered, 0 dead letters.* \([\d,]+/s\)")


def test_as_json_each_line_is_one_object(agent):
    agent.configure(endless(agent))
    agent.start("--log-format", "json")
    agent.wait_log("starts")
    agent.terminate()
    assert agent.wait() == 0
    lines = [json.loads(line) for line in agent.log.splitlines()]
    assert lines[0]["level"] == "info" and lines[0]["scope"] == "leat"
    assert lines[0]["message"].startswith("leat ") and lines[0]["time"].endswith("Z")


def test_the_journal_of_systemd_gets_priorities_and_no_time(agent, leat):
    """$JOURNAL_STREAM names the very file that standard error is."""
    agent.configure({"source": {"type": "generator", "count": 1}, "sink": {"type": "stdout"}})
    with open(agent.folder / "journal", "wb") as journal:
        file = os.fstat(journal.fileno())
        for stream, first in ((f"{file.st_dev}:{file.st_ino}", "<6>leat: leat "), ("1:1", "20")):
            journal.truncate(0)
            journal.seek(0)
            subprocess.run([leat, "run", "-c", agent.config_path], stderr=journal, stdout=subprocess.DEVNULL,
                           env={"JOURNAL_STREAM": stream}, check=True, timeout=DEADLINE)
            assert (agent.folder / "journal").read_text().startswith(first)


def test_a_terminal_shows_a_line_for_each_pipeline_as_wide_as_it_is_now(agent, leat):
    agent.configure(endless(agent, "first-line"), endless(agent, "second-line"))

    def statuses():
        return re.findall(r"\x1b\[J(first-line: [^\r\n]*)\r\n(second-line: [^\r\n]*)", terminal.look())

    with Terminal([leat, "run", "-c", agent.config_path], columns=60, stdout=subprocess.DEVNULL,
                  env={"TERM": "xterm"}) as terminal:
        wait_for(lambda: len(statuses()) >= 2)
        assert all(len(line) <= 59 for status in statuses() for line in status)
        terminal.resize(rows=24, columns=30)
        wait_for(lambda: len(statuses()[-1][0]) <= 29)
        terminal.process.send_signal(signal.SIGTERM)

        def ended():
            terminal.look()  # it must not wait for us to read
            return terminal.process.poll() is not None
        wait_for(ended)
        assert terminal.process.returncode == 0
        warnings = [line for line in terminal.seen.splitlines() if "\x1b[33m" in line]
        assert all("runs as root" in line for line in warnings) and "starts" in terminal.seen


@pytest.mark.parametrize("count", [1, 2])
def test_counts_and_rates_read_as_they_should(agent, count):
    """It said "1 commits", and "403,000 records/s" of what had taken no time."""
    path = agent.folder / "in"
    path.write_text('{"seq":1}\n' * count + '{"seq"\n', encoding="utf8")
    agent.configure({"name": "p", "source": {"type": "file", "path": [str(path)], "format": "json"},
                     "transforms": [{"type": "filter", "where": "seq > 0"}],
                     "sink": {"type": "file", "path": str(agent.folder / "out.jsonl")}})
    assert agent.run() == 0
    done, = agent.log_lines("p: done: ")
    assert f"done: {count + 1} records read" in done and f", {count} delivered, 1 dead letter, in " in done
    assert not re.search(r"\b1 (?!ms\b)[a-z]+s\b", agent.log), agent.log
    took = float(re.search(r", in (\d+(?:\.\d+)?)(?=m?s)", done)[1])
    rate = re.search(r"([\d,]+) records/s", done)
    if rate and took > 0:
        assert int(rate[1].replace(",", "")) <= (count + 1) * 1000 / took + 1
    assert rate is None or took > 0
    # Each thing is said once.
    texts = [line.split(" ", 2)[2] for line in agent.log.splitlines() if line]
    assert len(texts) == len(set(texts))
    for text in texts:
        assert not re.search(r"\b(\w+): \1: ", text), text


def test_a_dead_letter_is_what_was_read_escaped_once(agent):
    bad = r'{"a":"C:\\temp\\\"x\" é' + "\t"
    path = agent.folder / "in"
    path.write_text(bad + "\n" + '{"a":1}\n', encoding="utf8")
    agent.configure({"name": "p", "source": {"type": "file", "path": [str(path)], "format": "json"},
                     "transforms": [{"type": "filter", "where": "a > 0"}],
                     "sink": {"type": "file", "path": str(agent.folder / "out.jsonl")}})
    assert agent.run() == 0
    letter, = agent.dead_letters()
    assert letter["raw"] == bad
