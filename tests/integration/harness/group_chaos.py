"""Three agents of a group do a job of many tables while one of them at a time is killed or stopped."""

import random
import signal
import time

from .group import Group
from .pipelines import pipeline, quick_retry
from .waiting import wait_for

NAMES = ("a", "b", "c")
# Each time a task ends well, by whomever.
COUNT = """
CREATE TABLE ended (task text, agent text, at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO ended VALUES (NEW.pipeline, NEW.agent); RETURN NEW; END $$;
CREATE TRIGGER note AFTER UPDATE ON leat_cluster_tasks FOR EACH ROW
  WHEN (NEW.state = 'done' AND OLD.state <> 'done') EXECUTE FUNCTION note();
"""


def tables(count):
    return [f"t{i:03}" for i in range(1, count + 1)]


def make_tables(work, count, rows):
    work.query("CREATE TABLE copies (source text, id bigint, note text); CREATE TABLE log (what text);" + "".join(
        f"CREATE TABLE {table} (id bigint PRIMARY KEY, note text);"
        f"INSERT INTO {table} SELECT i, '{table} ' || i || repeat(' ', 300) FROM generate_series(1, {rows}) i;" for table in tables(count)))


def shared_job(work, count, guarantee="exactlyOnce", concurrency=2, **rest):
    return pipeline({"type": "postgres", "url": work.url, "tables": tables(count), "mode": "full", "pageSize": 50,
                     "concurrency": concurrency},
                    {"type": "postgres", "url": work.url, "table": "copies", "batch": {"records": 50, "linger": "5ms"},
                     "preSql": ["INSERT INTO log VALUES ('pre')"],
                     "postSql": ["INSERT INTO log SELECT 'post ' || count(*) FROM copies"]},
                    name="job", exclusive=True, delivery=quick_retry(guarantee=guarantee, spool="never"), **rest)


def copied_once(work, count, rows):
    """What is wrong with the copies; "" when nothing is."""
    wanted = count * rows
    got, distinct = work.query("SELECT count(*), count(DISTINCT note) FROM copies")[0]
    return "" if got == distinct == str(wanted) else f"{got} rows, {distinct} different, of {wanted}"


def run(make_agent, cluster_database, work, count=200, rows=200, blows=50, seed=None, limits=None, lease="2s", say=print):
    """Returns what there is to be told; fails with what is wrong."""
    moments = random.Random(seed)
    make_tables(work, count, rows)
    group = Group(make_agent, cluster_database, lease=lease)
    job = shared_job(work, count, limits=limits or {})
    # The tables are there before anything can end.
    maker = group.start("maker")
    wait_for(lambda: cluster_database.value("SELECT to_regclass('leat_cluster_positions') IS NOT NULL") == "t")
    maker.kill()
    cluster_database.query(COUNT)
    for name in NAMES:
        group.start(name, job)
    done = 0
    told = {"kills": 0, "stops": 0, "reassigned": 0}
    victim = None

    def ended():
        return cluster_database.count("ended")

    def over():
        return all(not group[name].running() for name in NAMES)

    while done < blows and not over():
        time.sleep(moments.uniform(0.1, 0.6))
        victim = moments.choice([name for name in NAMES if group[name].running()] or NAMES)
        if not group[victim].running():
            continue
        if moments.random() < 0.5:
            group[victim].kill()
            told["kills"] += 1
            time.sleep(moments.uniform(0, 0.5))
            group[victim].start()
        else:
            group[victim].send(signal.SIGSTOP)
            told["stops"] += 1
            time.sleep(moments.uniform(0.1, 1.8 * float(lease[:-1])))
            group[victim].send(signal.SIGCONT)
        done += 1
        if done % 10 == 0:
            say(f"{done} blows, {ended()} tasks done")
    codes = {name: group[name].wait(240) for name in NAMES}
    assert set(codes.values()) == {0}, (codes, {name: group[name].log[-2000:] for name in NAMES})
    wrong = copied_once(work, count, rows)
    assert not wrong, wrong
    twice = cluster_database.query("SELECT task, count(*) FROM ended GROUP BY task HAVING count(*) > 1")
    assert not twice, twice
    assert ended() == count + 2, f"{ended()} of {count} tasks, preSql and postSql ended well"
    assert work.query("SELECT what FROM log ORDER BY what") == [(f"post {count * rows}",), ("pre",)]
    by = cluster_database.query("SELECT agent, count(*) FROM ended GROUP BY agent ORDER BY agent")
    told |= {"blows": done, "by": {agent: int(n) for agent, n in by},
             "reassigned": sum(int(fence) > 1 for (fence,) in
                               cluster_database.query("SELECT fence FROM leat_cluster_tasks WHERE job = 'job'"))}
    return told
