"""Cases of scripts/fault-test: kills, reloads and rotations under sinks that are away or slow. Each is
called with a Bench and returns an Outcome."""

import signal

from faults.bench import Outcome
from faults.failing_fsync import FailingFsync
from faults.kill_loop import count_rows
from harness.collector import Answer
from harness.pipelines import file_source, pipeline
from harness.postgres import Postgres
from harness.relay import Relay


def wait_known(bench, path):
    """Until the journal knows the file that has this name now: one that was renamed before anybody
    had looked at it was never followed."""
    node = path.stat().st_ino
    bench.agent.wait_for(lambda: bench.journal(f"SELECT 1 FROM positions WHERE partition LIKE '{node}:%'"),
                         what=f"{path} in the journal")


def once(seqs, count):
    """All of them, and none twice."""
    seqs = list(seqs)
    missing = sorted(set(range(count)) - set(seqs))
    assert not missing, f"{len(missing)} of {count} missing, such as {missing[:5]}"
    assert len(seqs) == count, f"{len(seqs) - count} came twice"
    return Outcome(count)


def sqlite_sync(bench):
    """exactlyOnce into SQLite while some syncs of the target fail, with or without kills."""
    import sqlite3
    agent, total = bench.agent, 3000
    disk, path, database = FailingFsync(bench.folder), bench.folder / "in.jsonl", bench.folder / "out.db"
    bench.lines(path, 0, total)
    agent.configure(pipeline(
        file_source(path),
        {"type": "sqlite", "path": str(database), "table": "readings", "createTable": True,
         "batch": {"records": 100, "linger": "5ms"}},
        delivery=bench.delivery(guarantee="exactlyOnce")))
    for _ in range(bench.random.choice((1, 2) if bench.power_cuts else (0, 0, 1, 2))):
        first = bench.random.randint(1, 30)
        agent.start(env=disk.calls(first, first + bench.random.randint(1, 6), of="/out.db"))
        bench.moment(0.15)
        agent.kill()
    first = bench.random.randint(1, 30)
    code = agent.run(env=disk.calls(first, first + bench.random.randint(1, 6), of="/out.db"))
    if code != 0:  # it may ask for a restart
        code = agent.run()
    assert code == 0, f"exit code {code}"
    assert count_rows(database, "readings") >= 0
    connection = sqlite3.connect(database)
    outcome = once((seq for (seq,) in connection.execute("SELECT seq FROM readings")), total)
    connection.close()
    outcome.note = f"{disk.failed} syncs failed"
    return outcome


def reloads(bench):
    """Two workers, a slow disk, reloads whose drain times out under a sink that is slow or stuck."""
    agent, disk = bench.agent, FailingFsync(bench.folder)
    sinks, total = [bench.collector() for _ in range(3)], 1500
    paths = [bench.folder / f"{n}.jsonl" for n in range(3)]
    longest = 20

    def configure():
        agent.configure(*[
            {"name": f"p{n}",
             **pipeline(file_source(path, follow=True), bench.sink(sink),
                        delivery={**bench.delivery(spool="always"),
                                  "retry": {"initial": "5ms", "max": f"{longest}ms"}})}
            for n, (path, sink) in enumerate(zip(paths, sinks))], workers=2, drainTimeout="30ms")

    configure()
    for path in paths:
        bench.lines(path, 0, 300, noise=100)
    bench.start(env=disk.slow(0.005))
    for n in range(6):
        for sink in sinks:
            sink.default = bench.random.choice(
                (Answer(), Answer(delay=0.05), Answer(503), Answer(delay=0.2)))
        for path in paths:
            bench.lines(path, 300 + n * 200, 500 + n * 200, noise=100, mode="a")
        bench.moment(0.08)
        longest += 1
        configure()
        agent.send(signal.SIGHUP)
    if bench.power_cuts:
        bench.moment(0.05)
        agent.kill()
        bench.start(env=disk.slow(0.005))
    for sink in sinks:
        sink.default = Answer()
    twice = sum(bench.wait_all(sink, range(total)) for sink in sinks)
    bench.terminate()
    assert "constraint" not in agent.log
    return Outcome(3 * total, twice=twice)


_server = None


def postgres_rotated(bench):
    """exactlyOnce into PostgreSQL, the file rotated, and kills or a connection cut at a COMMIT."""
    global _server
    if _server is None:
        _server = Postgres()
    agent, database = bench.agent, _server.database("rotated")
    database.query("CREATE TABLE readings (seq bigint, noise text)")
    relay = Relay(_server.port, cuts=bench.random.randint(0, 2))
    bench.at_the_end(relay.close)
    path, written = bench.folder / "app.log", 0
    bench.lines(path, 0, 0)
    agent.configure(pipeline(
        file_source(path, follow=True),
        {"type": "postgres", "url": relay.url(database), "table": "readings",
         "batch": {"records": 50, "linger": "5ms"}},
        delivery=bench.delivery(guarantee="exactlyOnce")))
    agent.start()
    kills = 0
    for n in range(bench.random.randint(3, 6)):
        bench.lines(path, written, written + 400, mode="a")
        written += 400
        bench.moment(0.05)
        what = bench.random.choice(("rotate", "kill", "both", "rotate while down"))
        if what != "kill":
            wait_known(bench, path)
        if what in ("rotate", "both"):
            path.rename(bench.folder / f"app.log.{n}")
            bench.lines(path, written, written + 200)
            written += 200
        if what != "rotate":
            bench.moment(0.03)
            agent.kill()
            kills += 1
            if what == "rotate while down":
                path.rename(bench.folder / f"app.log.{n}")
                bench.lines(path, written, written + 200)
                written += 200
            agent.start()
    agent.wait_for(lambda: database.count("readings") >= written,
                   what=lambda: f"{written} rows, got {database.count('readings')}")
    bench.terminate()
    outcome = once((int(seq) for (seq,) in database.query("SELECT seq FROM readings")), written)
    outcome.note = f"{kills} kills"
    return outcome


def close_postgres():
    global _server
    if _server is not None:
        _server.close()
        _server = None


def rotated_files(bench):
    """Followed files are rotated while the sink is away, the agent is ended, and rotated again."""
    agent, collector = bench.agent, bench.collector()
    path, written, rotated = bench.folder / "app.log", 0, 0

    def write():
        nonlocal written
        more = bench.random.randint(1, 200)
        bench.lines(path, written, written + more, mode="a")
        written += more

    def rotate():
        nonlocal rotated
        path.rename(bench.folder / f"app.log.{rotated}")
        rotated += 1
        write()

    write()
    spool = bench.random.choice(("never", "onTrouble", "always"))
    agent.configure(pipeline(file_source(path, follow=True), bench.sink(collector),
                             delivery=bench.delivery(spool=spool)))
    if bench.random.random() < 0.5:
        collector.down()
    else:
        collector.default = Answer(503)
    for _ in range(bench.random.randint(1, 3)):
        agent.start()
        for _ in range(bench.random.randint(1, 3)):
            write()
            bench.moment(0.05)
            wait_known(bench, path)
            rotate()
        wait_known(bench, path)
        bench.moment(0.03)
        bench.stop_somehow()
        if bench.random.random() < 0.5:
            rotate()
    collector.default = Answer()
    if collector._server is None:
        collector.up()
    agent.start()
    twice = bench.wait_all(collector, range(written))
    bench.terminate()
    return Outcome(written, twice=twice, note=spool)

