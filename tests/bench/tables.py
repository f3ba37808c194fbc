"""Tables of PostgreSQL as sources, for scripts/bench: a whole one into another and into a file, beside
psql; and passes over one in which nothing is new.

Each figure is the best of the runs, between which the yardstick runs. Times on the wall of several processes on
few cores depend on what else the machine does; so the CPU is said as well, of both sides and of the server.
"""

import os
import time
from pathlib import Path

from harness.postgres import Postgres, remove_template
from harness.waiting import wait_for

TABLE = ("id bigint, at timestamptz, device text, state text, temp float8, vib float8, "
         "volts real, count int, ok boolean, note varchar(40)")
PASSES = 50


class Tables:
    """`bench` is that of scripts/bench; `measure` runs a command, and says what it has cost."""

    def __init__(self, bench, measure, csv, records):
        self.bench, self.measure, self.records = bench, measure, records
        self.server = Postgres(fsync="on", shared_buffers="128MB", max_wal_size="4GB")
        self.database = self.server.database("bench")
        self.database.query(f"CREATE TABLE s ({TABLE}, PRIMARY KEY (id))")
        measure("psql", "-q", "-X", "-d", self.database.url, "-c", f"\\copy s FROM '{csv}' CSV")
        self.database.query("ALTER TABLE s ALTER at SET NOT NULL; CREATE INDEX ON s (at, id)")
        self.database.query("VACUUM ANALYZE s")

    def close(self):
        self.server.close()
        remove_template()

    def agent(self, sink, **source):
        agent = self.bench.config("tables", "", "", [])
        agent.configure({"name": "p", "source": {"type": "postgres", "url": self.database.url, "table": "s",
                                                 **source}, "sink": sink}, memory="8MiB")
        return agent

    def server_cpu(self):
        """Seconds, of the sessions that have ended."""
        stat = Path(f"/proc/{self.server.process.pid}/stat").read_text(encoding="ascii")
        return sum(map(int, stat.rsplit(")", 1)[1].split()[13:15])) / os.sysconf("SC_CLK_TCK")

    def sessions_ended(self):
        return self.database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = 'bench'") == "1"

    def beside(self, figure, ours, theirs, name, target):
        """Both in turn, and the ratio of the best of each."""
        costs = {ours: [], theirs: []}
        for _ in range(self.bench.runs):
            for run in (theirs, ours):
                self.database.query(f"DROP TABLE IF EXISTS t; CREATE TABLE t ({TABLE}); CHECKPOINT")
                before = self.server_cpu()
                costs[run].append(run())
                wait_for(self.sessions_ended)
                costs[run][-1]["server"] = self.server_cpu() - before

        def best(run, what):
            return min(cost[what] for cost in costs[run])

        def said(run):
            return (f"{self.records / best(run, 'wall') / 1e3:.0f} k rows/s ({best(run, 'wall'):.2f} s wall, "
                    f"{best(run, 'cpu'):.2f} s CPU, the server {best(run, 'server'):.2f}")
        peak = max(cost["peakKiB"] for cost in costs[ours]) * 1.024 / 1000
        wall = best(theirs, "wall") / best(ours, "wall")
        cpu = ((best(theirs, "cpu") + best(theirs, "server")) / (best(ours, "cpu") + best(ours, "server")))
        self.bench.row(f"{figure}, {self.records:,} rows of 10 columns",
                       f"{said(ours)}; {peak:.1f} MB RSS); {name} {said(theirs)}): ratio {wall:.2f} by the wall, "
                       f"{cpu:.2f} by CPU", target)

    def to_table(self, figure, target, **source):
        url = self.database.url

        def ours():
            agent = self.agent({"type": "postgres", "url": url, "table": "t", "createTable": False}, **source)
            cost = self.measure(self.bench.binary, "run", "-c", agent.config_path)
            assert self.database.count("t") == self.records, cost["log"]
            return cost

        def theirs():
            return self.measure("sh", "-c", f"psql -qXd '{url}' -c 'COPY s TO STDOUT' | "
                                            f"psql -qXd '{url}' -c 'COPY t FROM STDIN'")
        self.beside(f"PostgreSQL to PostgreSQL, {figure}", ours, theirs, "psql COPY into psql COPY", target)

    def to_file(self):
        path = self.bench.config("tables", "", "", []).folder.parent / "tables.csv"

        def ours():
            path.unlink(missing_ok=True)
            agent = self.agent({"type": "file", "path": str(path), "format": "csv"})
            cost = self.measure(self.bench.binary, "run", "-c", agent.config_path)
            with open(path, "rb") as file:
                assert sum(1 for _ in file) == self.records + 1, cost["log"]
            return cost

        def theirs():
            return self.measure("psql", "-qXd", self.database.url, "-c", f"\\copy s TO '{path}' CSV HEADER")
        self.beside("PostgreSQL to a CSV file", ours, theirs, "psql \\copy", "≥ 0.9 × \\copy")
        path.unlink(missing_ok=True)

    def nothing_new(self):
        """What passes cost that find nothing."""
        agent = self.agent({"type": "stdout", "format": "ndjson"}, mode="incremental", every="100ms",
                           cursor=["at", "id"])
        log = self.server.folder / "server.log"
        self.database.query("ALTER DATABASE bench SET log_statement = 'all'")

        def statements():
            return log.read_text(errors="replace").count(" LOG:  statement: ")

        def written():
            return sum(path.stat().st_mtime_ns + path.stat().st_size
                       for path in agent.data_dir.glob("journal.db*"))

        def cpu():
            return sum(int(path.read_text().split()[0]) for path in
                       Path(f"/proc/{agent.process.pid}/task").glob("*/schedstat")) / 1e9
        agent.start()
        try:
            settled = statements() + 20
            wait_for(lambda: statements() > settled, 60)
            before, spent, journal, began = statements(), cpu(), written(), time.monotonic()
            wait_for(lambda: statements() >= before + PASSES, 120)
            asked, spent, seconds = statements() - before, cpu() - spent, time.monotonic() - began
            kept = "0 bytes" if written() == journal else "something"
        finally:
            agent.kill()
        self.bench.row(f"a pass that finds nothing, over {self.records:,} rows with an index",
                       f"{asked} statements in {seconds:.1f} s (one for each 100 ms), {spent / asked * 1e3:.2f} ms "
                       f"CPU of ours each; written to the journal: {kept}",
                       "one statement, ≤ 5 ms, 0 bytes")


def tables(bench, measure, csv, records):
    run = Tables(bench, measure, csv, records)
    try:
        run.to_table("one task", "≥ 0.9 × the pipe, ≤ 12 MB")
        run.to_table("4 tasks", "faster than the pipe", split={"tasks": 4})
        run.to_file()
        run.nothing_new()
    finally:
        run.close()
