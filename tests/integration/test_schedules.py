"""Pipelines that are started again and again: schedules, and what becomes of their runs."""

import json
import re

from harness.output import conforming
from harness.pipelines import file_source, http_sink, pipeline, quick_retry
from harness.unix_http import UnixHttp
from harness.waiting import wait_for

ORDERS = ("CREATE TABLE orders (id bigint PRIMARY KEY, note text, "
          "updated_at timestamptz NOT NULL DEFAULT now()); "
          "CREATE INDEX ON orders (updated_at, id); "
          "CREATE TABLE copies (id bigint PRIMARY KEY, note text, updated_at timestamptz)")


def ask(agent, path):
    connection = UnixHttp(agent.data_dir / "leat.sock")
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def scheduled(source, sink, schedule, **rest):
    return pipeline(source, sink, schedule=schedule, **rest)


def shown(agent, name="p"):
    answer = agent.command("status", name, "--json", "--data-dir", str(agent.data_dir))
    if not answer.stdout:
        return {}
    return conforming(answer.stdout, "status")["pipelines"][0]


def state(agent):
    return shown(agent).get("state")


def runs(agent):
    answer = agent.command("runs", "p", "--json", "--data-dir", str(agent.data_dir))
    return conforming(answer.stdout, "runs")["runs"] if answer.returncode == 0 else []


def ended(agent, how="succeeded"):
    return [run for run in runs(agent) if run["state"] == how]


def append(path, *seqs):
    with open(path, "a", encoding="utf8") as file:
        for seq in seqs:
            file.write(json.dumps({"seq": seq}) + "\n")


def orders(database, **options):
    return {"type": "postgres", "url": database.url, "table": "orders", **options}


def to_copies(database, **options):
    return {"type": "postgres", "url": database.url, "table": "copies", "batch": {"linger": "10ms"}, **options}


def insert(database, first, count):
    database.query(f"INSERT INTO orders SELECT i, 'n' || i FROM generate_series({first}, {first + count - 1}) i")


def rows(database, table):
    return database.query(f"SELECT id, note, updated_at FROM {table} ORDER BY id")


def in_step(database):
    return rows(database, "orders") == rows(database, "copies")


def test_a_copy_is_kept_in_step_pass_by_pass_over_kills(agent, database):
    database.query(ORDERS)
    insert(database, 1, 500)
    agent.configure(scheduled(
        orders(database, mode="incremental", once=True, cursor=["updated_at", "id"], **{"from": "2000-01-01"}),
        to_copies(database, writeMode="upsert", key=["id"]), {"every": "1s"},
        delivery=quick_retry(guarantee="exactlyOnce")))
    agent.start()
    wait_for(lambda: in_step(database))
    for death in range(3):
        insert(database, 1000 * (death + 1), 500)
        database.query(f"UPDATE orders SET note = 'again {death}', updated_at = now() WHERE id % 7 = {death}")
        if death < 2:
            agent.kill()
            agent.start()
        wait_for(lambda: in_step(database))
    wait_for(lambda: len(ended(agent)) >= 4)
    latest = ended(agent)[0]
    assert {"started", "ended", "records", "bytesRead", "retries", "seconds"} <= set(latest)
    assert agent.running(), "it does not end with a run"
    agent.terminate()
    assert agent.wait() == 0
    assert sum(run["records"]["read"] for run in ended(agent)) <= 2000 + 3 * 300, "no row is read by each pass"


def test_a_full_read_is_done_anew_each_time_so_deletes_are_seen(agent, database):
    database.query(ORDERS)
    insert(database, 1, 100)
    agent.configure(scheduled(orders(database, mode="full"), to_copies(database, preSql=["TRUNCATE copies"]),
                              {"every": "1s"}, delivery=quick_retry()))
    agent.start()
    wait_for(lambda: in_step(database))
    database.query("DELETE FROM orders WHERE id % 3 = 0")
    wait_for(lambda: in_step(database))
    wait_for(lambda: ended(agent) and ended(agent)[0]["records"]["read"] == 67)
    assert "as ordered" not in agent.log, "nobody ordered anything"
    agent.terminate()
    assert agent.wait() == 0


def test_each_full_read_tells_what_is_new_since_the_last(agent, database, collector):
    database.query(ORDERS)
    insert(database, 1, 100)
    agent.configure(scheduled(orders(database, mode="full"), http_sink(collector), {"every": "1s"},
                              transforms=[{"type": "dedupe", "key": ["id", "note"]}], delivery=quick_retry()))
    agent.start()
    wait_for(lambda: len(ended(agent)) >= 2)
    insert(database, 101, 10)
    wait_for(lambda: len(collector.records()) >= 110)
    read_anew = len(ended(agent)) + 1
    wait_for(lambda: len(ended(agent)) > read_anew)
    assert sorted(record["id"] for record in collector.records()) == list(range(1, 111))
    assert "forgotten" not in agent.log
    agent.terminate()
    assert agent.wait() == 0


def test_the_copy_of_an_empty_table_becomes_empty_and_what_only_goes_on_leaves_it(agent, database):
    database.query(ORDERS + "; CREATE TABLE log (what text)")
    insert(database, 1, 100)
    job = {"preSql": ["TRUNCATE copies"], "postSql": ["INSERT INTO log VALUES ('post')"]}
    agent.configure(scheduled(orders(database, mode="full"), to_copies(database, **job), {"every": "1s"},
                              delivery=quick_retry()))
    agent.start()
    wait_for(lambda: in_step(database))
    database.query("TRUNCATE orders")
    wait_for(lambda: in_step(database))
    assert "preSql and postSql run for an empty job" in agent.log
    done = database.count("log")
    wait_for(lambda: database.count("log") > done)
    agent.terminate()
    assert agent.wait() == 0
    insert(database, 1, 10)
    agent.configure(pipeline(orders(database, mode="full"), to_copies(database, **job), delivery=quick_retry()))
    assert agent.run() == 0 and in_step(database)
    assert agent.run() == 0 and in_step(database), "nothing is new, and so nothing is emptied"


def test_a_run_that_was_cut_short_is_made_up_once_and_one_that_ended_is_not(agent, make_collector):
    collector = make_collector()
    collector.down()
    log = agent.folder / "in.jsonl"
    append(log, 1)
    agent.configure(scheduled(file_source(log), http_sink(collector), {"every": "1h"}, delivery=quick_retry()))
    agent.start()
    wait_for(lambda: state(agent) == "retrying")
    agent.kill()
    collector.up()
    agent.start()
    collector.wait_records(1)
    wait_for(lambda: state(agent) == "scheduled")
    agent.kill()
    append(log, 2)
    agent.start()
    wait_for(lambda: state(agent) == "scheduled")
    assert 3000 < shown(agent)["nextAttemptSeconds"] <= 3600
    assert agent.command("start", "p", "--data-dir", str(agent.data_dir)).returncode == 0, "an operator can"
    collector.wait_records(2)
    wait_for(lambda: state(agent) == "scheduled")
    assert [run["records"]["read"] for run in ended(agent)] == [1, 1]
    agent.terminate()
    assert agent.wait() == 0


def test_runs_that_fail_open_the_circuit_and_a_trial_closes_it(agent, make_collector):
    collector = make_collector()
    log = agent.folder / "in.jsonl"
    agent.configure(scheduled(file_source(log), http_sink(collector),
                              {"every": "1s", "breaker": {"threshold": 2, "cooldown": "1s"}}))
    agent.start()
    wait_for(lambda: state(agent) == "circuit open")
    said = shown(agent)
    assert said["trouble"] and said["failedRuns"] >= 2 and "in.jsonl" in said["reason"]
    assert agent.command("status", "--data-dir", str(agent.data_dir)).returncode == 1
    assert "in.jsonl" in ask(agent, "/health")[1]
    assert re.search(r'leat_failed_runs\{pipeline="p"\} [2-9]', ask(agent, "/metrics")[1])
    append(log, 1)
    collector.wait_records(1)
    wait_for(lambda: state(agent) == "scheduled")
    assert ended(agent, "failed") and ended(agent)
    assert "started again in" in agent.log
    agent.terminate()
    assert agent.wait() == 0


def test_what_waits_says_when_it_is_started(agent, collector):
    log = agent.folder / "in.jsonl"
    agent.configure(scheduled(file_source(log), http_sink(collector), {"cron": "15 2 29 2 *"}))
    explained = agent.command("explain", "-c", agent.config_path).stdout
    assert re.search(r"schedule +15 2 29 2 \* \(UTC\), one run at a time", explained)
    assert re.search(r"next +20\d\d-02-29T02:15:00Z, 20\d\d-02-29T02:15:00Z, ", explained)
    agent.start()
    wait_for(lambda: state(agent) == "scheduled")
    said = shown(agent)
    assert said["schedule"] == "15 2 29 2 * (UTC)"
    assert re.fullmatch(r"20\d\d-02-29T02:15:00Z", said["nextRun"])
    assert not said["trouble"]
    details = agent.command("status", "p", "--data-dir", str(agent.data_dir)).stdout
    assert re.search(rf"next run +{said['nextRun']}", details)
    assert re.search(r'leat_next_run_timestamp_seconds\{pipeline="p"\} \d+', ask(agent, "/metrics")[1])
    assert ask(agent, "/ready")[0] == 200
    agent.terminate()
    assert agent.wait() == 0
    assert not runs(agent), "it never ran"


def test_what_is_wrong_with_a_schedule_is_said_with_its_place(agent, collector):
    log = agent.folder / "in.jsonl"

    def problems(schedule, **options):
        agent.configure(scheduled(file_source(log, **options), http_sink(collector), schedule))
        checked = agent.command("check", "-c", agent.config_path, "--json")
        return [(one["path"], one["message"]) for one in json.loads(checked.stdout)["problems"]]

    assert problems({"every": "5m"}) == []
    assert problems({"cron": "*/5 * * * mon-fri", "timeZone": "UTC"}) == []
    (path, message), = problems({})
    assert path == "pipelines[0].schedule" and 'either "every" or "cron"' in message
    assert problems({"every": "5m", "cron": "* * * * *"})[0][0] == "pipelines[0].schedule"
    (path, message), = problems({"every": "0s"})
    assert path == "pipelines[0].schedule.every" and "either" not in message, "what is wrong is said once"
    (path, message), = problems({"cron": "61 * * * *"})
    assert path == "pipelines[0].schedule.cron" and 'the minute "61"' in message
    (path, message), = problems({"cron": "* * * * *", "timeZone": "Mars/Olympus"})
    assert path == "pipelines[0].schedule.timeZone" and "Mars/Olympus" in message
    assert problems({"every": "5m", "timeZone": "UTC"})[0][0] == "pipelines[0].schedule.timeZone"
    (path, message), = problems({"every": "5m"}, follow=True)
    assert path == "pipelines[0].schedule" and "is for a source that ends" in message
    agent.configure(scheduled({"type": "stdin"}, http_sink(collector), {"every": "5m"}))
    checked = agent.command("check", "-c", agent.config_path)
    assert checked.returncode == 2 and "stdin can be read only once" in checked.stdout + checked.stderr
