"""Jobs that copy several tables of a database into one."""

from .pipelines import pipeline, quick_retry

TABLES = [f"orders_{number}" for number in range(1, 7)]
JOB = {"preSql": ["TRUNCATE copies", "INSERT INTO log VALUES ('pre')"],
       "postSql": ["INSERT INTO log SELECT 'post ' || count(*) FROM copies"]}


def make_tables(database, rows):
    database.query("CREATE TABLE copies (id bigint, note text); CREATE TABLE log (what text)")
    for number, table in enumerate(TABLES):
        database.query(f"CREATE TABLE {table} (id bigint PRIMARY KEY, note text); INSERT INTO {table} "
                       f"SELECT i * 10 + {number}, 'n' || i FROM generate_series(1, {rows}) i")


def job(database, source=None, sink=None, guarantee="exactlyOnce", **rest):
    return pipeline({"type": "postgres", "url": database.url, "tables": TABLES, **(source or {})},
                    {"type": "postgres", "url": database.url, "table": "copies",
                     "batch": {"records": 100, "linger": "10ms"}, **(sink or {})},
                    delivery=quick_retry(guarantee=guarantee), **rest)
