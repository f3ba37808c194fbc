"""Pipelines as configuration dicts, so that a test says only what matters to it."""


def file_source(*paths, format="json", **options):
    return {"type": "file", "path": [str(path) for path in paths], "format": format, **options}


def http_sink(collector, records=100, linger="20ms", **options):
    return {"type": "http", "url": collector.url, "format": "ndjson",
            "batch": {"records": records, "linger": linger}, **options}


def quick_retry(threshold=1000, cooldown="50ms", initial="5ms", maximum="20ms", **delivery):
    """`delivery` with short waits, and a circuit that stays closed unless asked otherwise."""
    return {"retry": {"initial": initial, "max": maximum},
            "breaker": {"threshold": threshold, "cooldown": cooldown}, **delivery}


def pipeline(source, sink, *transforms, **rest):
    return {"source": source, "transforms": list(transforms), "sink": sink, **rest}


def where(expression, **options):
    return {"type": "filter", "where": expression, **options}
