"""kill -9 at random moments of a run, restarted each time, until the input is done.

Used by tests/integration/test_resume.py (a few kills) and scripts/kill-test (many).
"""

import random
import sqlite3
import time
from collections import Counter


class KillLoop:
    """Kills `agent` at `kills` random moments, then lets it end.

    Most kills come after a random share of what is left has been delivered (`delivered()` counts),
    plus a few random milliseconds, so that they spread over the whole input whatever the speed of
    the machine. One in five comes within 30 ms of the start: into opening, resuming, recovering.

    `after_kill(before, after)` is called after each kill, and after the end, with what delivered()
    said before and after that run; `settle()` just before it.
    """

    def __init__(self, agent, delivered, total, seed=1, settle=lambda: None,
                 after_kill=lambda before, after: None):
        self.agent = agent
        self.delivered = delivered
        self.total = total
        self.random = random.Random(seed)
        self.settle = settle
        self.after_kill = after_kill
        self.killed = 0
        self.killed_early = 0

    def run(self, kills, deadline=60.0):
        """Kills it `kills` times and lets it end; returns its exit code."""
        self.kill_all(kills, deadline)
        before = self.delivered()
        code = self.agent.run(deadline=deadline)
        self.settle()
        self.after_kill(before, self.delivered())
        return code

    def kill_all(self, kills, deadline=60.0):
        while self.killed < kills:
            before = self.delivered()
            self.agent.start()
            self._wait_for_a_moment(before, kills - self.killed, deadline)
            if not self.agent.running():
                break  # it was faster than us: the input is done
            self.agent.kill()
            self.killed += 1
            self.settle()
            self.after_kill(before, self.delivered())

    def _wait_for_a_moment(self, before, kills_left, deadline):
        if self.random.random() < 0.2:
            self.killed_early += 1
            time.sleep(self.random.uniform(0, 0.03))  # the moment of the kill, not a wait
            return
        share = max(1, int((self.total - before) / (kills_left + 1) * self.random.uniform(0.05, 1.3)))
        goal = min(before + share, self.total)  # all may have come before the last kill
        end = time.monotonic() + deadline
        while self.delivered() < goal and self.agent.running():
            if time.monotonic() > end:
                raise AssertionError(f"no progress in {deadline:g} s; log:\n{self.agent.log[-3000:]}")
            time.sleep(0.001)
        time.sleep(self.random.uniform(0, 0.004))


def file_to_http(agent, collector, path, total, kills, seed=1, transforms=(), batch=100, in_flight=4,
                 source=None, linger="10ms", limits=None, commit_every=None):
    """Runs a file into an HTTP collector under kills; returns the KillLoop and what arrived.

    Fails when a kill made more records come twice than what was in flight and, without
    `commit_every` "0ms", what was delivered since the position was saved: with a sink that sends
    keys that is every 64 deliveries, and what is delivered while it is being saved.
    """
    most = in_flight + (0 if commit_every == "0ms" else 64 + 64)
    agent_options = {"journal": {"commitEvery": commit_every}} if commit_every else {}
    agent.configure({
        "source": source or {"type": "file", "path": [str(path)], "format": "json"},
        "transforms": list(transforms),
        "sink": {"type": "http", "url": collector.url, "format": "ndjson", "inFlight": in_flight,
                 "batch": {"records": batch, "linger": linger}},
        "limits": limits or {}}, **agent_options)
    times = Counter()
    counted = 0

    def after_kill(_before, _after):
        nonlocal counted
        again = 0
        for request in collector.requests[counted:]:
            for record in request.records:
                again += times[record["seq"]] > 0
                times[record["seq"]] += 1
            counted += 1
        assert again <= most * batch, (
            f"{again} records came again after one kill; at most {most} x {batch} may")

    loop = KillLoop(agent, collector.line_count, total, seed, settle=collector.wait_quiet,
                    after_kill=after_kill)
    code = loop.run(kills)
    assert code == 0, f"exit code {code}; log:\n{agent.log[-3000:]}"
    return loop, times


def file_to_sqlite(agent, database, path, total, kills, seed=1, transforms=(), batch=200):
    """Runs a file into a SQLite table, exactly once, under kills; returns the KillLoop."""
    agent.configure({
        "source": {"type": "file", "path": [str(path)], "format": "json"},
        "transforms": list(transforms),
        "sink": {"type": "sqlite", "path": str(database), "table": "readings",
                 "batch": {"records": batch, "linger": "10ms"}},
        "delivery": {"guarantee": "exactlyOnce"}})
    loop = KillLoop(agent, lambda: count_rows(database, "readings"), total, seed)
    code = loop.run(kills)
    assert code == 0, f"exit code {code}; log:\n{agent.log[-3000:]}"
    return loop


def count_rows(database, table):
    """Rows of a table that another process may be writing; 0 while there is none."""
    if not database.exists():
        return 0
    connection = sqlite3.connect(database, timeout=5)
    try:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    except sqlite3.OperationalError:  # no such table yet
        return 0
    finally:
        connection.close()


def file_to_postgres(agent, database, path, total, kills, seed=1, transforms=(), batch=200):
    """Runs a file into the table readings, exactly once, under kills; returns the KillLoop.

    Each delivery takes 10 ms more than it needs: counting rows with psql is slow beside COPY, and the
    file must not be done before the last kill.
    """
    database.query("CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS "
                   "$$ BEGIN PERFORM pg_sleep(0.01); RETURN NULL; END $$;"
                   "CREATE TRIGGER dawdle AFTER INSERT ON readings EXECUTE FUNCTION dawdle()")
    agent.configure({
        "source": {"type": "file", "path": [str(path)], "format": "json"},
        "transforms": list(transforms),
        "sink": {"type": "postgres", "url": database.url, "table": "readings",
                 "batch": {"records": batch, "linger": "10ms"}},
        "delivery": {"guarantee": "exactlyOnce"}})
    loop = KillLoop(agent, lambda: database.count("readings"), total, seed)
    code = loop.run(kills)
    assert code == 0, f"exit code {code}; log:\n{agent.log[-3000:]}"
    return loop
