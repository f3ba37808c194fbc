"""A table that is written all the time, its copy, and an agent that is killed: is the copy the table?

Used by tests/integration/test_table_copies.py (a few kills) and scripts/kill-test (many).
"""

import random
import sqlite3
import threading
import time

from harness.sessions import Transaction
from harness.waiting import wait_for

ROWS = "id, version, note, updated_at"


class Writers:
    """Threads that insert and update at random, in transactions that stay open for 0 to `longest`
    seconds (half of them for less than a twentieth of it) and end with COMMIT, each seventh with
    ROLLBACK."""

    def __init__(self, count, longest, seed):
        self.longest = longest
        self.over = threading.Event()
        self.failed = []
        self.committed = 0
        self.rolled_back = 0
        self.longest_open = 0.0
        self._threads = [threading.Thread(target=self._run, daemon=True,
                                          args=(k, random.Random(f"{seed} {k}"))) for k in range(count)]

    def start(self):
        for thread in self._threads:
            thread.start()

    def stop(self):
        """What is open still is ended at once."""
        self.over.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(60)

    def finish(self):
        self.stop()
        assert not self.failed, self.failed

    def session(self, number):
        """A context manager that gives what has begin(), change(randomly) and end(how)."""
        raise NotImplementedError

    def _run(self, number, randomly):
        try:
            with self.session(number) as session:
                while not self.over.is_set():
                    self._transaction(session, randomly)
        except Exception as error:  # pylint: disable=broad-except  # it is told by finish()
            self.failed.append(error)

    def _transaction(self, session, randomly):
        began = time.monotonic()
        until = began + self.longest * randomly.random() ** 5
        session.begin()
        session.change(randomly)
        # Not waits: this is how long a transaction stays open, and what it does meanwhile.
        while (left := until - time.monotonic()) > 0 and not self.over.is_set():
            self.over.wait(min(left, randomly.uniform(0, min(2.0, self.longest / 4))))
            session.change(randomly)
        commits = (self.committed + self.rolled_back) % 7 != 3  # not by chance: some are rolled back in any run
        session.end("COMMIT" if commits else "ROLLBACK")
        self.committed += commits
        self.rolled_back += not commits
        self.longest_open = max(self.longest_open, time.monotonic() - began)
        self.over.wait(randomly.uniform(0, 0.1))


class PostgresTable(Writers):
    """Four sessions write at once, so that what began first is often committed last."""

    SESSIONS = 4

    def __init__(self, database, rows, longest, seed):
        super().__init__(self.SESSIONS, longest, seed)
        self.database = database
        self.source = {"type": "postgres", "url": database.url}
        database.query(
            "CREATE TABLE orders (id bigint PRIMARY KEY, version int NOT NULL, note text, "
            "updated_at timestamptz NOT NULL DEFAULT now()); CREATE INDEX ON orders (updated_at, id); "
            f"INSERT INTO orders SELECT i, 1, 'n' || i FROM generate_series(1, {rows}) i")
        self._rows = rows

    def session(self, number):
        return PostgresSession(self.database, number, self._rows)

    def compared_with(self, copies):
        return (f"(SELECT 'table', {ROWS} FROM orders EXCEPT ALL SELECT 'table', {ROWS} FROM {copies}) UNION ALL "
                f"(SELECT 'copy', {ROWS} FROM {copies} EXCEPT ALL SELECT 'copy', {ROWS} FROM orders)")


class PostgresSession(Transaction):
    def __init__(self, database, number, rows):
        super().__init__(database)
        self._rows, self._next = rows, 1_000_000 * (number + 1)

    def begin(self):
        pass  # the one before has been ended with it

    def end(self, how):
        self.run(f"{how}; BEGIN")

    def change(self, randomly):
        # When the transaction began, or now: both are before it is seen.
        now = randomly.choice(("now()", "clock_timestamp()"))
        many = randomly.randrange(1, 20)
        if randomly.random() < 0.5:
            sql = (f"INSERT INTO orders SELECT i, 1, 'new', {now} "
                   f"FROM generate_series({self._next}, {self._next + many - 1}) i")
            self._next += many
        else:  # of any rows but those that another has changed and holds still
            sql = (f"UPDATE orders SET version = version + 1, note = note || '+', updated_at = {now} WHERE id IN "
                   f"(SELECT id FROM orders WHERE id >= {randomly.randrange(1, self._rows)} ORDER BY id "
                   f"LIMIT {many} FOR UPDATE SKIP LOCKED)")
        how = randomly.random()
        if how < 0.3:
            sql = f"SAVEPOINT s; {sql}; {'ROLLBACK TO' if how < 0.1 else 'RELEASE'} s"
        self.run(sql)


class SqliteTable(Writers):
    """One writer, as SQLite has it; its times are of the statements in its transaction."""

    def __init__(self, path, rows, longest, seed, journal_mode="wal"):
        super().__init__(1, longest, seed)
        self.path = path
        # Two transactions may have the same time when the clock is coarse.
        self.source = {"type": "sqlite", "path": str(path), "consistencyDelay": "200ms"}
        self._rows = rows
        db = self.connect()
        db.execute(f"PRAGMA journal_mode={journal_mode}")
        db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, note TEXT, "
                   "updated_at REAL NOT NULL)")
        db.execute("CREATE INDEX changes ON orders (updated_at, id)")
        db.execute("BEGIN")
        db.executemany("INSERT INTO orders VALUES (?, 1, ?, ?)",
                       [(i, f"n{i}", float(i)) for i in range(1, rows + 1)])
        db.execute("COMMIT")
        db.close()

    def connect(self):
        db = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        db.execute("PRAGMA synchronous=off")  # it is the agent that is killed
        return db

    def session(self, _number):
        return SqliteSession(self.connect(), self._rows)

    def compared_with(self, copies):
        db = self.connect()
        truth = "\n".join("\t".join(map(str, row)) for row in db.execute(f"SELECT {ROWS} FROM orders"))
        db.close()
        return (f"CREATE TEMPORARY TABLE truth AS TABLE {copies} WITH NO DATA;\nCOPY truth ({ROWS}) FROM stdin;\n"
                f"{truth}\n\\.\n(SELECT 'table', {ROWS} FROM truth EXCEPT ALL SELECT 'table', {ROWS} FROM {copies}) "
                f"UNION ALL (SELECT 'copy', {ROWS} FROM {copies} EXCEPT ALL SELECT 'copy', {ROWS} FROM truth)")


class SqliteSession:
    def __init__(self, db, rows):
        self.db, self._rows = db, rows

    def begin(self):
        self.db.execute("BEGIN IMMEDIATE")

    def end(self, how):
        self.db.execute(how)

    def change(self, randomly):
        many = randomly.randrange(1, 20)
        if randomly.random() < 0.5:
            for _ in range(many):
                self.db.execute("INSERT OR IGNORE INTO orders VALUES (?, 1, 'new', ?)",
                                (randomly.randrange(self._rows, 2**40), time.time()))
        else:
            self.db.execute("UPDATE orders SET version = version + 1, note = note || '+', updated_at = ? "
                            "WHERE id IN (SELECT id FROM orders WHERE id >= ? ORDER BY id LIMIT ?)",
                            (time.time(), randomly.randrange(1, self._rows), many))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.db.close()


class TableCopy:
    """`table` (one of the above) → `agent`, fullAndContinuous → table copies of `database`.

    disturb() kills the agent so many times in so many seconds, while the table is written; finish()
    lets all of it come to rest. What is written to the copy is noted, row version by row version.
    """

    def __init__(self, agent, table, database, exactly_once=True, seed=1, page=100):
        self.agent, self.table, self.database = agent, table, database
        self.random = random.Random(seed)
        self.killed = 0
        self.ran_well = 0  # lives in which something was written
        time_type = "timestamptz" if isinstance(table, PostgresTable) else "float8"
        database.query(
            f"CREATE TABLE copies (id bigint PRIMARY KEY, version int, note text, updated_at {time_type}); "
            "CREATE TABLE written (id bigint, version int); CREATE FUNCTION note() RETURNS trigger LANGUAGE "
            "plpgsql AS $$ BEGIN INSERT INTO written VALUES (NEW.id, NEW.version); RETURN NULL; END $$; "
            "CREATE TRIGGER note AFTER INSERT OR UPDATE ON copies FOR EACH ROW EXECUTE FUNCTION note()")
        agent.configure({
            "source": {**table.source, "table": "orders", "mode": "fullAndContinuous", "every": "100ms",
                       "cursor": ["updated_at", "id"], "pageSize": page},
            "sink": {"type": "postgres", "url": database.url, "table": "copies", "writeMode": "upsert",
                     "key": ["id"], "batch": {"records": page, "linger": "10ms"}},
            "delivery": {"guarantee": "exactlyOnce" if exactly_once else "atLeastOnce",
                         "retry": {"initial": "5ms", "max": "20ms"}}})

    def disturb(self, kills, seconds):
        self.table.start()
        while self.killed < kills:
            before = self.written()
            self.agent.start()
            self._wait_for_a_moment(before, seconds / kills)
            assert self.agent.running(), f"it has ended; log:\n{self.agent.log[-3000:]}"
            self.agent.kill()
            self.killed += 1
            self.ran_well += self.written() > before

    def finish(self, deadline=120.0):
        """The writers end, and the copy becomes the table."""
        self.table.finish()
        self.agent.start()
        wait_for(lambda: not self.differences(), deadline, interval=0.3,
                 what=lambda: f"the copy to be the table: {self.differences()[:10]}; leat's log ends:\n"
                              f"{self.agent.log[-2000:]}")
        self.agent.terminate()
        code = self.agent.wait()
        assert code == 0, f"exit code {code}; log:\n{self.agent.log[-3000:]}"

    def written(self):
        return self.database.count("written")

    def differences(self):
        """Rows of one that are not in the other, row by row."""
        return self.database.query(self.table.compared_with("copies"))

    def repeated(self):
        """Row versions that were written more than once. For exactlyOnce: empty."""
        return self.database.query("SELECT id, version, count(*) FROM written GROUP BY 1, 2 HAVING count(*) > 1")

    # The sleeps are the moments of kills, not waits.
    def _wait_for_a_moment(self, before, each):
        if self.random.random() < 0.2:
            return time.sleep(self.random.uniform(0, 0.03))  # into its start
        end = time.monotonic() + self.random.uniform(0, 2 * each)
        if self.random.random() < 0.5:  # into the middle of what is written, where something is
            while self.written() == before and time.monotonic() < end:
                time.sleep(0.02)
            return time.sleep(self.random.uniform(0, 0.02))
        return time.sleep(max(0.0, end - time.monotonic()))
