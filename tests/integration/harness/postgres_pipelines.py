"""Pipelines into the postgres sink, and what became of their records."""

import json

from .pipelines import file_source, pipeline, quick_retry

READINGS = ("CREATE TABLE readings (seq bigint, ts bigint, device text, state text, temp float8, "
            "vib real, ok boolean)")


def sink(database, table="t", records=5000, linger="20ms", url=None, **options):
    return {"type": "postgres", "url": url or database.url, "table": table,
            "batch": {"records": records, "linger": linger}, **options}


def lines(agent, *records, name="in.jsonl"):
    """A file of these records: dicts, or text as it is."""
    path = agent.folder / name
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records))
    return path


def configure(agent, database, path, *transforms, format="json", delivery=None, **options):
    agent.configure(pipeline(file_source(path, format=format), sink(database, **options),
                             *transforms, delivery=delivery or quick_retry()))
    return agent


def deliver(agent, database, *records, **options):
    """Runs these records into the table to the end; the agent must say that all went well."""
    assert configure(agent, database, lines(agent, *records), **options).run() == 0, agent.log
    return agent


def fails(agent, database, *records, **options):
    """The pipeline ends with an error; returns the log."""
    assert configure(agent, database, lines(agent, *records), **options).run() == 1, agent.log
    assert agent.dead_letters() == []
    return agent.log


def reasons(agent):
    return [letter["reason"] for letter in agent.dead_letters()]
