"""The disk is full, the journal is damaged: nothing is lost, and it goes on when it can."""

import secrets
import shutil
import subprocess

import pytest

from faults.small_disk import SmallDisk, can_mount
from harness.collector import Answer
from harness.pipelines import file_source, http_sink, pipeline, quick_retry, where
from harness.telemetry import expect_each_once, missing, seqs_of

RECORDS = 5000


def seqs(collector):
    return [record["seq"] for record in collector.records()]


@pytest.fixture
def disk(tmp_path, make_agent):  # make_agent: agents end before the disk goes
    if not can_mount(tmp_path):
        pytest.skip("mounting a small file system needs root with CAP_SYS_ADMIN")
    with SmallDisk(tmp_path / "disk", "2m") as small:
        yield small


def test_a_full_data_folder_holds_delivery_back_until_there_is_room(
        agent, collector, telemetry, disk):
    agent.data_dir = disk.folder / "data"
    collector.default = Answer(delay=0.01)
    agent.configure(pipeline(file_source(telemetry(RECORDS)), http_sink(collector, inFlight=2),
                             delivery=quick_retry()))
    agent.start()
    collector.wait_requests(3)
    disk.fill()
    agent.wait_log(" (warn|error) .*(full|no space)")
    disk.free()
    assert agent.wait() == 0
    assert missing(seqs(collector), RECORDS) == []
    assert len(agent.log_lines(" (warn|error) ")) <= 6


def test_a_kill_on_a_full_disk_loses_nothing(agent, collector, telemetry, disk):
    agent.data_dir = disk.folder / "data"
    collector.default = Answer(delay=0.01)
    agent.configure(pipeline(file_source(telemetry(RECORDS)), http_sink(collector, inFlight=2)))
    agent.start()
    collector.wait_requests(3)
    disk.fill()
    agent.wait_log(" (warn|error) .*(full|no space)")
    agent.kill()
    disk.free()
    assert agent.run() == 0
    assert missing(seqs(collector), RECORDS) == []


def test_a_journal_that_filled_its_disk_is_opened_again_and_delivered(
        agent, collector, tmp_path, disk):
    path = tmp_path / "input.jsonl"
    path.write_text("".join(f'{{"seq":{n},"noise":"{secrets.token_hex(200)}"}}\n'
                            for n in range(8000)))
    agent.data_dir = disk.folder / "data"
    agent.configure(pipeline(file_source(path), http_sink(collector),
                             delivery=quick_retry(spool="always")))
    collector.down()
    agent.start()
    agent.wait_log("warn leat: the pipelines may spool 64.0 MiB")
    agent.wait_log(f"no space left on {agent.data_dir}")
    agent.kill()
    disk.fill()
    collector.up()
    assert agent.run() == 0
    expect_each_once(seqs(collector), 8000)


def test_a_new_agent_on_a_full_disk_delivers_without_a_journal(
        agent, collector, telemetry, disk):
    agent.data_dir = disk.folder / "data"
    agent.configure(pipeline(file_source(telemetry(RECORDS)), http_sink(collector)))
    disk.fill()
    assert agent.run() == 0
    expect_each_once(seqs(collector), RECORDS)
    assert len(agent.log_lines("no journal can be made there")) == 1


def test_a_new_agent_on_a_disk_without_inodes_delivers_without_a_journal(
        agent, collector, telemetry, tmp_path):
    """Where not even a folder can be made, as on a full ext4."""
    if not can_mount(tmp_path):
        pytest.skip("needs root and mount()")
    with SmallDisk(tmp_path / "inodes", "2m,nr_inodes=3") as disk:
        agent.data_dir = disk.folder / "data"
        agent.data_dir.mkdir()
        disk.fill()  # takes the last inode
        agent.configure(pipeline(file_source(telemetry(RECORDS)), http_sink(collector)))
        assert agent.run() == 0
        expect_each_once(seqs(collector), RECORDS)


def test_a_data_folder_that_cannot_be_written_is_one_line(agent, collector, telemetry, disk):
    agent.data_dir = disk.folder / "data"
    agent.configure(pipeline(file_source(telemetry(10)), http_sink(collector)))
    assert agent.run() == 0
    subprocess.run(["mount", "-o", "remount,ro", disk.folder], check=True)
    assert agent.run() == 2
    lines = agent.log_of_run.splitlines()
    assert len(lines) == 1 and "read-only file system" in lines[0], lines


def test_a_data_folder_that_cannot_be_written_is_called_so_when_there_is_no_journal(
        agent, collector, telemetry, disk):
    agent.data_dir = disk.folder / "data"
    agent.configure(pipeline(file_source(telemetry(10)), http_sink(collector)))
    assert agent.run() == 0
    (agent.data_dir / "journal.db").unlink()
    subprocess.run(["mount", "-o", "remount,ro", disk.folder], check=True)
    assert agent.run() == 2
    assert "read-only file system" in agent.log_of_run, agent.log_of_run


def test_dead_letters_that_cannot_be_written_are_waited_for(agent, collector, disk):
    agent.data_dir = agent.folder / "data"
    path = agent.folder / "input.jsonl"
    path.write_text("".join(f'{{"seq":{n}}}\n' + ("not json\n" if n % 100 == 50 else "")
                            for n in range(1000)))
    letters = disk.folder / "letters.jsonl"
    agent.configure(pipeline(file_source(path), http_sink(collector), where("seq >= 0"),
                             deadLetters={"path": str(letters)}))
    disk.fill()
    agent.start()
    agent.wait_log(" error .*dead letters cannot be written")
    disk.free()
    assert agent.wait() == 0
    expect_each_once(seqs(collector), 1000)
    assert len(letters.read_text().splitlines()) == 10


def test_a_full_disk_under_the_file_sink_tears_no_line(agent, telemetry, disk):
    out = disk.folder / "out.ndjson"
    agent.configure(pipeline(file_source(telemetry(RECORDS)),
                             {"type": "file", "path": str(out), "format": "ndjson",
                              "batch": {"records": 100}}, delivery=quick_retry()))
    disk.fill()
    agent.start()
    agent.wait_log(" (warn|error) .*no space")
    disk.free()
    assert agent.wait() == 0
    files = [path for path in disk.folder.iterdir() if path.is_file()]
    expect_each_once([seq for path in files for seq in seqs_of(path.read_bytes())], RECORDS)


def test_a_full_disk_under_the_sqlite_sink_loses_nothing(agent, telemetry, disk):
    import sqlite3
    database = disk.folder / "out.db"
    agent.configure(pipeline(file_source(telemetry(RECORDS)),
                             {"type": "sqlite", "path": str(database), "table": "readings",
                              "batch": {"records": 100}},
                             delivery=quick_retry(guarantee="exactlyOnce")))
    disk.fill()
    agent.start()
    agent.wait_log(" (warn|error) .*(full|no space|unable to open|disk I/O)")
    disk.free()
    assert agent.wait() == 0
    rows = sqlite3.connect(database).execute("SELECT seq FROM readings").fetchall()
    expect_each_once([seq for (seq,) in rows], RECORDS)


@pytest.mark.parametrize("damage", [
    lambda content: b"",
    lambda content: b"this is no database" * 500,
    lambda content: content[:len(content) // 2],
    lambda content: content[:2000] + b"\xff" * 3000 + content[5000:],
], ids=["empty", "overwritten", "cut", "a_hole"])
def test_a_damaged_journal_does_not_keep_the_agent_from_starting(
        agent, collector, telemetry, damage):
    """It may have to read again what it had delivered, but it runs, and loses nothing."""
    collector.default = Answer(delay=0.005)
    agent.configure(pipeline(file_source(telemetry(RECORDS)), http_sink(collector)))
    agent.start()
    collector.wait_requests(10)
    agent.terminate()
    assert agent.wait() == 0
    journal = agent.data_dir / "journal.db"
    journal.write_bytes(damage(journal.read_bytes()))
    assert agent.run() == 0
    assert missing(seqs(collector), RECORDS) == []



def spool_all(agent, collector, path, records):
    """Until all of `path` is in the journal, with a sink that is away."""
    agent.configure(pipeline(file_source(path, follow=True), http_sink(collector),
                             delivery=quick_retry(spool="always", durability="process")))
    collector.down()
    agent.start()
    wal = agent.data_dir / "journal.db-wal"
    end = str(path.stat().st_size).encode()
    agent.wait_for(lambda: wal.exists() and end in wal.read_bytes(),
                   what=f"all {records} records in the journal")


def test_a_flipped_bit_in_the_wal_is_said_and_loses_nothing(
        agent, collector, telemetry, tmp_path):
    path = tmp_path / "input.jsonl"
    path.write_bytes(telemetry(RECORDS).read_bytes())
    spool_all(agent, collector, path, RECORDS)
    agent.kill()
    wal = agent.data_dir / "journal.db-wal"
    content = bytearray(wal.read_bytes())
    content[len(content) // 2] ^= 16
    wal.write_bytes(content)
    collector.up()
    agent.start()
    agent.wait_log("the journal is made anew .*damaged frames?")
    agent.wait_for(lambda: missing(seqs(collector), RECORDS) == [], what="all records delivered")
    agent.terminate()
    assert agent.wait() == 0


def test_what_is_lost_with_a_data_folder_that_was_taken_away_is_no_success(
        agent, collector, telemetry, tmp_path):
    path = tmp_path / "input.jsonl"
    path.write_bytes(telemetry(RECORDS).read_bytes())
    spool_all(agent, collector, path, RECORDS)
    shutil.rmtree(agent.data_dir)
    agent.data_dir.write_text("in its place")
    agent.terminate()
    assert agent.wait() == 1
    agent.wait_log(f" error .*removed or replaced.*: {RECORDS:,} spooled records are lost")


def test_a_data_folder_deleted_under_it_is_made_again_at_the_end(
        agent, collector, telemetry, tmp_path):
    path = tmp_path / "input.jsonl"
    path.write_bytes(telemetry(RECORDS).read_bytes())
    spool_all(agent, collector, path, RECORDS)
    shutil.rmtree(agent.data_dir)
    agent.terminate()
    assert agent.wait() == 0
    path.unlink()  # the journal alone has them now
    collector.up()
    agent.start()
    agent.wait_for(lambda: missing(seqs(collector), RECORDS) == [], what="all records delivered")
    agent.terminate()
    assert agent.wait() == 0
    expect_each_once(seqs(collector), RECORDS)


def test_a_journal_deleted_under_it_is_made_again(agent, collector, telemetry, tmp_path):
    path = tmp_path / "input.jsonl"
    content = telemetry(RECORDS).read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(content[:4000]))
    spool_all(agent, collector, path, 4000)
    for file in agent.data_dir.glob("journal.db*"):
        file.unlink()
    with open(path, "ab") as more:
        more.write(b"".join(content[4000:]))
    agent.wait_log("the journal is made anew .*removed or replaced")
    wal = agent.data_dir / "journal.db-wal"
    agent.wait_for(lambda: wal.exists() and str(path.stat().st_size).encode() in wal.read_bytes(),
                   what="the rest in the new journal")
    agent.kill()
    path.unlink()  # the journal alone has them now
    collector.up()
    agent.start()
    agent.wait_for(lambda: missing(seqs(collector), RECORDS) == [], what="all records delivered")
    agent.terminate()
    assert agent.wait() == 0
    expect_each_once(seqs(collector), RECORDS)
