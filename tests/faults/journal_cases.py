"""Cases of scripts/fault-test: the journal's disk is full, its pages are damaged, its syncs fail, its
file is taken away. Each is called with a Bench and returns an Outcome."""

import time

from faults.bench import LAST, Outcome
from faults.failing_fsync import FailingFsync
from faults.small_disk import SmallDisk
from harness.mqtt_peer import PUBACK, RecordingProxy
from harness.pipelines import file_source, pipeline


def full_disk(bench):
    """A journal that filled its disk is opened again, also on a full disk, and delivered."""
    agent, broker, collector = bench.agent, bench.broker(), bench.collector()
    disk = SmallDisk(bench.folder / "disk", "1m")
    disk.__enter__()
    bench.at_the_end(lambda: (agent.kill(), disk.__exit__()))
    agent.data_dir = disk.folder / "data"
    agent.configure(pipeline(bench.mqtt_source(broker), bench.sink(collector),
                             delivery=bench.delivery(spool="always")))
    collector.down()
    publisher = bench.publisher(broker, 1500, noise=1000)
    bench.start_and_publish(publisher, broker)
    agent.wait_log("no space left on")
    publisher.wait()
    bench.moment(0.1)
    how = bench.stop_somehow()
    if bench.random.random() < 0.7:
        disk.fill()  # to the last byte, whatever the end has freed
        how += ", filled"
    if bench.random.random() < 0.5:
        agent.start()
        bench.moment(0.05)
        agent.kill()
    collector.up()
    agent.start()
    twice = bench.wait_all(collector, publisher.accepted)
    bench.terminate()
    return Outcome(len(publisher.accepted), twice=twice, note=how)


def drop_oldest(bench):
    """Kills, stops and reloads of a spool with a hole in it: it comes to rest, within its bound."""
    agent, collector, total = bench.agent, bench.collector(), 30000
    path, bound = bench.folder / "input.jsonl", 262144
    kills = bench.random.random() < 0.5  # without: what was dropped is known to the record
    retries = 20

    def configure():
        one = pipeline(file_source(path, follow=True), bench.sink(collector, inFlight=2),
                       delivery=bench.delivery(spool="always", maxSpool=f"{bound}B",
                                               overflow="dropOldest", durability="process"))
        one["delivery"]["retry"]["max"] = f"{retries}ms"
        agent.configure(one, drainTimeout="2s")

    def within_the_bound():
        rows = bench.journal("SELECT coalesce(sum(length(batch)), 0), coalesce(max(length(batch)), 0) "
                             "FROM spool")
        # Of what was being added when it was at the bound, one batch.
        assert not rows or rows[0][0] <= bound + 2 * rows[0][1], f"{rows[0][0]} bytes wait"

    bench.lines(path, 0, total // 2, noise=30)
    collector.down()
    configure()
    bench.start()
    events = 0
    for n in range(bench.random.randint(3, 6)):
        bench.moment(0.15)
        if n == 1:
            bench.lines(path, total // 2, total, noise=30, mode="a")
        if bench.random.random() < 0.3:
            collector.up()
            bench.moment(0.02)
            collector.down()
        what = bench.random.choice(("kill", "term", "hup") if kills else ("term", "hup"))
        events += 1
        if what == "hup":
            retries += 1
            configure()
            before = agent.log_of_run.count("configuration taken over")
            agent.send(1)
            agent.wait_for(lambda: agent.log_of_run.count("configuration taken over") > before,
                           what="the reload")
            continue
        if what == "kill":
            agent.kill()
        else:
            bench.terminate()
        within_the_bound()
        bench.start()
    collector.up()
    bench.lines(path, LAST, LAST + 1, mode="a")
    agent.wait_for(lambda: LAST in bench.seqs(collector), what="the last record")
    bench.wait_empty_spool()
    bench.terminate()
    assert "not delivered yet" not in agent.log_lines("done: |read")[-1]
    got = bench.seqs(collector)
    lost, twice = total + 1 - len(set(got)), len(got) - len(set(got))
    dropped = bench.said(r" ([\d,]+) dropped at maxSpool")
    if not kills:
        assert lost <= dropped <= lost + twice, f"{lost} lost, {dropped} said, {twice} twice"
    return Outcome(total + 1, lost, twice=twice,
                   note="with kills" if kills else f"{dropped} said dropped")


def damage(bench, kill, spoil):
    """Two pipelines with a spool each; spoil() damages so many places, which it returns, of the journal
    of the agent that was ended.

    The file's records must all arrive, those of MQTT but for what is said to be lost. Rows that nothing
    says anything of are the last ones: FORMAT.md, "Damage".
    """
    agent, broker = bench.agent, bench.broker()
    sinks = {name: bench.collector() for name in ("file", "mqtt")}
    path, lines = bench.folder / "input.jsonl", 1500
    bench.lines(path, LAST - lines, LAST, noise=60)
    how = bench.delivery(spool="always", durability="power" if bench.power_cuts else "process")
    agent.configure(
        {"name": "file", **pipeline(file_source(path, follow=True), bench.sink(sinks["file"]),
                                    delivery=how)},
        {"name": "mqtt", **pipeline(bench.mqtt_source(broker), bench.sink(sinks["mqtt"]),
                                    delivery=how)})
    if bench.random.random() < 0.7:
        for sink in sinks.values():
            sink.down()
    publisher = bench.publisher(broker, 800, noise=100)
    bench.start_and_publish(publisher, broker)
    bench.moment(0.1)
    for sink in sinks.values():
        sink.down()
    bench.moment(0.3)
    if kill:
        agent.kill()
    else:
        bench.terminate()  # what was in the WAL goes into the pages
    rows = [records for records, in bench.journal(
        "SELECT records FROM spool WHERE id >> 44 = (SELECT number FROM spools WHERE "
        "pipeline = 'mqtt') ORDER BY id DESC")]
    last_rows = sum(rows[:spoil()])
    for sink in sinks.values():
        sink.up()
    agent.start()
    if bench.random.random() < 0.3:
        bench.moment(0.05)
        agent.kill()
        agent.start()
    publisher.wait()
    broker.publish("plant/1", f'{{"seq":{LAST}}}')
    twice = bench.wait_all(sinks["file"], range(LAST - lines, LAST))
    twice += bench.wait_all(sinks["mqtt"], [LAST])
    bench.wait_empty_spool()
    bench.terminate()
    got = bench.seqs(sinks["mqtt"])
    assert set(got) <= {*publisher.accepted, LAST}, "records of another pipeline"
    missing = sorted(set(publisher.accepted) - set(got))
    said = sum(map(bench.said, (r"mqtt: ([\d,]+) spooled records? (?:was|were) lost",
                                r"mqtt: ([\d,]+) spooled records? (?:was|were) not on the disk",
                                r"mqtt: a spooled batch is damaged: ([\d,]+) record",
                                r"nobody knows whose ([\d,]+) record")))
    # After a power cut a bad frame of the WAL is taken for what that tore, and so is all behind it.
    left_out = bench.power_cuts and "behind what is not there left out" in agent.log
    assert left_out or len(missing) <= said + last_rows, (
        f"{len(missing)} missing ({missing[:3]} to {missing[-3:]}), {said} said to be lost")
    return Outcome(lines + len(publisher.accepted), len(missing), max(0, len(missing) - said),
                   twice - len(set(got)) + 1, f"{said} said lost" if said else "")


def pages(bench):
    """Random pages of the journal zeroed or garbled: what is readable is delivered, the rest is said."""
    def spoil():
        places = 0
        for name in ("journal.db", "journal.db-wal"):
            file = bench.agent.data_dir / name
            content = bytearray(file.read_bytes()) if file.exists() else b""
            for _ in range(bench.random.randint(1, 3) if content else 0):
                at = bench.random.randrange(0, len(content), 1024)
                size = min(1024, len(content) - at)
                places += 1
                content[at:at + size] = (bytes(size) if bench.random.random() < 0.5
                                         else bench.random.randbytes(size))
            if content:
                file.write_bytes(content)
        return places

    return damage(bench, bench.random.random() < 0.3, spoil)


def wal_bit(bench):
    """One bit of the WAL flipped after a kill."""
    def spoil():
        wal = bench.agent.data_dir / "journal.db-wal"
        content = bytearray(wal.read_bytes()) if wal.exists() else b""
        if not content:
            return 0  # nothing of it had reached the disk
        content[bench.random.randrange(len(content))] ^= 1 << bench.random.randrange(8)
        wal.write_bytes(content)
        return 1

    return damage(bench, True, spoil)


def failing_sync(bench):
    """The n-th sync of the journal fails: nothing is acknowledged on its strength from then on."""
    agent, broker, collector = bench.agent, bench.broker(), bench.collector()
    disk, proxy = FailingFsync(bench.folder), RecordingProxy(broker.port)
    bench.at_the_end(proxy.close)
    collector.down()
    agent.configure(pipeline(bench.mqtt_source(proxy), bench.sink(collector),
                             delivery=bench.delivery(spool="always")))
    publisher = bench.publisher(broker, 1200, noise=1500)
    first = bench.random.randint(1, 40)
    bench.start_and_publish(publisher, broker,
                            env=disk.calls(first, first + 1, of="/data/journal.db"))
    publisher.wait()
    agent.wait_for(lambda: disk.failed or len(set(proxy.numbers(PUBACK))) and
                   broker.log.count("Received PUBACK from leat") >= 1200, what="the failing sync")
    if disk.failed:
        agent.wait_log("error leat: .*fsync")
        time.sleep(0.05)  # what was acknowledged before may still be on its way
        acknowledged = len(proxy.of(PUBACK))
        broker.publish("plant/1", '{"seq":0}')
        time.sleep(0.15)  # in which nothing may happen
        assert len(proxy.of(PUBACK)) == acknowledged, "acknowledged after a failed sync"
    bench.stop_somehow()
    collector.up()
    agent.start()
    twice = bench.wait_all(collector, publisher.accepted) - bool(disk.failed)
    bench.terminate()
    return Outcome(len(publisher.accepted), twice=max(twice, 0),
                   note=f"call {first} failed" if disk.failed else "no such call")


def deleted_journal(bench):
    """The journal's files are deleted, renamed or replaced under the agent, and it is killed later."""
    agent, broker, collector = bench.agent, bench.broker(), bench.collector()
    path, lines = bench.folder / "input.jsonl", 1000
    agent.configure(
        {"name": "mqtt", **pipeline(bench.mqtt_source(broker), bench.sink(collector),
                                    delivery=bench.delivery(spool="always"))},
        {"name": "file", **pipeline(file_source(path, follow=True), bench.sink(collector),
                                    delivery=bench.delivery(spool="always"))})
    bench.lines(path, LAST, LAST + lines // 2)
    collector.down()
    publisher = bench.publisher(broker, 2000, rate=4000)
    bench.start_and_publish(publisher, broker)
    journal, wal = agent.data_dir / "journal.db", agent.data_dir / "journal.db-wal"
    bench.moment(0.3)
    how = bench.random.choice(("all", "database", "wal", "moved", "replaced", "folder"))
    if how in ("all", "database"):
        journal.unlink()
    if how in ("all", "wal"):
        wal.unlink(missing_ok=True)
    if how == "moved":
        journal.rename(agent.data_dir / "moved")
    if how == "replaced":
        other = agent.data_dir / "other"
        other.write_bytes(b"")
        other.rename(journal)
    if how == "folder":
        for file in list(agent.data_dir.glob("journal.db*")):
            file.unlink()
    bench.lines(path, LAST + lines // 2, LAST + lines, mode="a")
    broker.publish("plant/1", '{"seq":0}')  # there is a commit after it
    agent.wait_log("the journal is made anew")
    bench.moment(0.2)
    bench.stop_somehow()
    collector.up()
    agent.start()
    publisher.wait()
    wanted = {0, *publisher.accepted, *range(LAST, LAST + lines)}
    twice = bench.wait_all(collector, wanted)
    bench.terminate()
    return Outcome(len(wanted), twice=twice, note=how)
