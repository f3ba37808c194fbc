"""`follow`: files that grow, rotate, appear later, or changed while the agent was down."""

import os
import shutil
import threading

import pytest

from faults.kill_loop import KillLoop
from harness.collector import Answer
from harness.pipelines import file_source, http_sink, pipeline
from harness.telemetry import expect_each_once, missing


def line(seq):
    return f'{{"seq":{seq},"text":"some text to fill the line {seq}"}}\n'


def append(path, *seqs):
    with open(path, "a", encoding="utf8") as file:
        file.write("".join(map(line, seqs)))


def seqs(collector):
    return [record["seq"] for record in collector.records()]


@pytest.fixture
def log(agent):
    """The file that the tests write to."""
    return agent.folder / "app.log"


@pytest.fixture
def follow(agent, collector, log):
    """follow(*paths): starts an agent that follows these (by default, `log`)."""
    def start(*paths, **source):
        agent.configure(pipeline(file_source(*(paths or [log]), follow=True, **source),
                                 http_sink(collector)))
        return agent.start()

    return start


def stop(agent):
    agent.terminate()
    assert agent.wait() == 0


def test_lines_arrive_as_they_are_written(agent, collector, log, follow):
    append(log, 0)
    follow()
    for seq in range(1, 20):
        collector.wait_records(seq)
        append(log, seq)
    collector.wait_records(20)
    stop(agent)
    assert seqs(collector) == list(range(20))


def test_half_a_line_waits_for_its_end(agent, collector, log, follow):
    append(log, 0)
    follow()
    collector.wait_records(1)
    with open(log, "a", encoding="utf8") as file:
        file.write('{"seq":1,"text":"first half')
        file.flush()
        file.write('"}\n{"seq":2,')
        file.flush()
        collector.wait_records(2)
        file.write('"text":""}\n')
    collector.wait_records(3)
    stop(agent)
    assert seqs(collector) == [0, 1, 2]
    assert agent.dead_letters() == []


def test_half_a_line_at_the_stop_is_read_whole_after_the_start(agent, collector, log, follow):
    append(log, 0)
    with open(log, "a", encoding="utf8") as file:
        file.write('{"seq":1,"te')
    follow()
    collector.wait_records(1)
    stop(agent)
    with open(log, "a", encoding="utf8") as file:
        file.write('xt":"whole"}\n')
    agent.start()
    collector.wait_records(2)
    stop(agent)
    assert seqs(collector) == [0, 1]
    assert agent.dead_letters() == []


def test_rotation_by_rename_loses_nothing(agent, collector, log, follow):
    append(log, *range(10))
    follow()
    collector.wait_records(10)
    for generation in range(1, 6):
        first = generation * 100
        append(log, *range(first - 90, first - 40))
        # A writer that has the old file open goes on for a moment after the rename.
        with open(log, "a", encoding="utf8") as old:
            log.rename(agent.folder / f"app.log.{generation}")
            old.write("".join(line(n) for n in range(first - 40, first)))
        append(log, *range(first, first + 10))  # the new file
        collector.wait_records(first + 10)
    stop(agent)
    expect_each_once(seqs(collector), 510)


def test_copytruncate_goes_on_from_the_start(agent, collector, log, follow):
    append(log, *range(100))
    follow()
    collector.wait_records(100)
    shutil.copy(log, agent.folder / "app.log.1")
    os.truncate(log, 0)
    append(log, *range(100, 110))
    collector.wait_records(110)
    stop(agent)
    expect_each_once(seqs(collector), 110)


def test_copytruncate_is_noticed_when_the_file_has_grown_beyond_the_old_size(
        agent, collector, log, follow):
    append(log, *range(10))
    follow()
    collector.wait_records(10)
    stop(agent)
    os.truncate(log, 0)
    append(log, *range(10, 60))
    agent.start()
    collector.wait_records(60)
    stop(agent)
    expect_each_once(seqs(collector), 60)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_followed_through_halves_of_letters_and_a_kill(agent, collector, log, follow,
                                                                encoding):
    def lines(first, end):
        return "".join(f"{seq},Öl – {seq}\r\n" for seq in range(first, end)).encode(encoding)

    log.write_bytes("\ufeffseq,text\r\n".encode(encoding) + lines(0, 1))
    follow(format="csv", csv={"encoding": "utf-16"})
    collector.wait_records(1)
    written = lines(1, 20)
    for start in range(0, len(written), 7):  # an odd number: a letter has two bytes
        with open(log, "ab") as file:
            file.write(written[start:start + 7])
    collector.wait_records(20)
    agent.kill()
    with open(log, "ab") as file:
        file.write(lines(20, 25))
    agent.start()
    agent.wait_for(lambda: 24 in seqs(collector), what="what was written meanwhile")
    stop(agent)
    assert set(seqs(collector)) == set(range(25))
    assert {record["text"] for record in collector.records()} == {f"Öl – {seq}" for seq in range(25)}
    assert agent.dead_letters() == []


def test_a_file_that_appears_later_is_read(agent, collector, log, follow):
    follow(log, agent.folder / "late-*.log")
    agent.wait_for(lambda: agent.data_dir.exists(), what="the start")
    append(agent.folder / "late-1.log", 0, 1)
    collector.wait_records(2)
    append(log, 2, 3)
    collector.wait_records(4)
    append(agent.folder / "late-2.log", 4)
    collector.wait_records(5)
    stop(agent)
    expect_each_once(seqs(collector), 5)


def test_a_folder_that_appears_later_is_read(agent, collector, follow):
    follow(agent.folder / "new" / "*.log")
    agent.wait_for(lambda: agent.data_dir.exists(), what="the start")
    (agent.folder / "new").mkdir()
    append(agent.folder / "new" / "a.log", 0)
    collector.wait_records(1)
    stop(agent)


def test_a_removed_file_that_comes_back_is_read_from_its_start(agent, collector, log, follow):
    append(log, *range(10))
    follow()
    collector.wait_records(10)
    log.unlink()
    append(log, *range(10, 15))
    collector.wait_records(15)
    stop(agent)
    expect_each_once(seqs(collector), 15)


def test_what_was_written_while_the_agent_was_down_is_read(agent, collector, log, follow):
    append(log, *range(10))
    follow()
    collector.wait_records(10)
    stop(agent)
    append(log, *range(10, 20))
    agent.start()
    collector.wait_records(20)
    stop(agent)
    expect_each_once(seqs(collector), 20)


def test_a_file_that_shrank_while_the_agent_was_down_is_read_from_its_start(
        agent, collector, log, follow):
    append(log, *range(10))
    follow()
    collector.wait_records(10)
    stop(agent)
    log.write_text(line(10))
    agent.start()
    collector.wait_records(11)
    stop(agent)
    expect_each_once(seqs(collector), 11)


def test_a_file_that_was_replaced_while_the_agent_was_down_is_read_from_its_start(
        agent, collector, log, follow):
    append(log, *range(10))
    follow()
    collector.wait_records(10)
    stop(agent)
    other = agent.folder / "other"
    append(other, *range(10, 40))
    other.rename(log)
    agent.start()
    collector.wait_records(40)
    stop(agent)
    expect_each_once(seqs(collector), 40)


def test_a_rotation_while_the_agent_was_down_is_found_by_a_glob(agent, collector, log, follow):
    append(log, *range(10))
    follow(f"{log}*")
    collector.wait_records(10)
    stop(agent)
    append(log, *range(10, 20))
    log.rename(agent.folder / "app.log.1")
    append(log, *range(20, 30))
    agent.start()
    collector.wait_records(30)
    stop(agent)
    expect_each_once(seqs(collector), 30)


def test_files_that_were_not_delivered_are_found_after_a_rotation_and_a_restart(
        agent, collector, log, follow):
    collector.default = Answer(status=503)
    append(log, *range(100))
    follow()
    collector.wait_requests(1)
    # The first batch does not wait for the disk. Until the file is known there, a rotation is as one
    # before the start: it has a name that nobody follows.
    agent.wait_for(lambda: str(log) in agent.command("positions", "--json", "-c", agent.config_path).stdout)
    log.rename(agent.folder / "app.log.1")
    append(log, *range(100, 200))
    agent.kill()
    collector.wait_quiet()
    collector.default = Answer()
    agent.start()
    collector.wait_records(200)
    stop(agent)
    assert missing(seqs(collector), 200) == []


def test_unfinished_lines_of_many_files_stay_within_the_memory_budget(
        agent, collector, log, sanitized):
    folder = agent.folder / "many"
    folder.mkdir()
    for n in range(60):
        append(folder / f"{n}.log", n)
        os.truncate(folder / f"{n}.log", 1_000_000)  # NULs, and no line end
    agent.configure(pipeline(file_source(folder / "*.log", follow=True), http_sink(collector)),
                    memory="4MiB")
    agent.start()
    collector.wait_records(60)
    append(log, 0)
    append(folder / "new.log", 60)  # read after the others
    collector.wait_records(61)
    stop(agent)
    if not sanitized:
        assert agent.peak_rss_kib < 25_000


def test_more_files_are_followed_than_may_be_open(agent, collector):
    folder = agent.folder / "many"
    folder.mkdir()
    for n in range(300):
        append(folder / f"{n}.log", n)
    agent.configure(pipeline(file_source(folder / "*.log", follow=True), http_sink(collector)))
    agent.start(wrap=("prlimit", "--nofile=100:100"))
    collector.wait_records(300)
    for n in (0, 150, 299):
        append(folder / f"{n}.log", 300 + n)
    collector.wait_records(303)
    # One that was closed while it was quiet is found by what it is when it has another name.
    (folder / "7.log").rename(folder / "7.old")
    append(folder / "7.old", 700)
    collector.wait_records(304)
    stop(agent)
    assert sorted(seqs(collector)) == [*range(300), 300, 450, 599, 700]


def test_a_neighbour_delivers_while_others_files_take_all_descriptors(agent, collector, log):
    """At the limit of open files nothing at all was delivered, by no pipeline."""
    folder = agent.folder / "many"
    folder.mkdir()
    for n in range(300):
        append(folder / f"{n}.log", n)
    agent.configure(pipeline(file_source(folder / "*.log", follow=True), http_sink(collector)),
                    pipeline(file_source(log, follow=True), http_sink(collector)))
    agent.start(wrap=("prlimit", "--nofile=64:64"))
    collector.wait_records(300)
    for n in range(300, 310):
        append(log, n)
        collector.wait_records(n + 1)
    stop(agent)
    assert sorted(seqs(collector)) == [*range(310)]


def test_rotation_under_kills_loses_nothing(agent, collector, log):
    """A writer appends and rotates all the time, the agent is killed again and again."""
    total = 12000
    agent.configure(pipeline(file_source(f"{log}*", follow=True),
                             http_sink(collector, records=50, linger="5ms")))
    ahead = threading.Semaphore(15)  # the writer is at most so many pieces ahead of what arrived
    seen = set()
    looked_at = 0
    piece = 100

    def write():
        for first in range(0, total - piece, piece):
            ahead.acquire()
            append(log, *range(first, first + piece))
            if first % 1500 == 1400:
                log.rename(agent.folder / f"app.log.{first}")

    def arrived():
        nonlocal looked_at
        before = len(seen) // piece
        for request in collector.requests[looked_at:]:
            seen.update(record["seq"] for record in request.records)
            looked_at += 1
        for _ in range(before, len(seen) // piece):
            ahead.release()
        return len(seen)

    threading.Thread(target=write, daemon=True).start()
    loop = KillLoop(agent, arrived, total - piece, settle=collector.wait_quiet)
    loop.kill_all(8)
    agent.start()
    append(log, *range(total - piece, total))
    agent.wait_for(lambda: arrived() >= total, deadline=60, what="all lines")
    stop(agent)
    assert missing(seen, total) == []
