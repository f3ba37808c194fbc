"""Trying a pipeline before it is rolled out: leat try, leat sql, leat test."""

import json

from harness.output import conforming

HOT = [{"type": "filter", "where": "temp > 40"}, {"type": "map", "set": {"kelvin": "temp + 273"}}]


def mqtt_to_http(**changes):
    """A pipeline whose peers do not exist: nothing may be connected."""
    return {"name": "press", "source": {"type": "mqtt", "url": "mqtt://127.0.0.1:1", "topics": ["f/#"],
                                        "topicFields": ["f/{line}"]},
            "transforms": HOT, "sink": {"type": "http", "url": "http://127.0.0.1:1/"}, **changes}


def csv_to_file(agent):
    return {"name": "table", "source": {"type": "file", "path": [str(agent.folder / "*.csv")], "format": "csv"},
            "sink": {"type": "file", "path": str(agent.folder / "out.csv"), "format": "csv"}}


def configure(agent, *pipelines, tests=()):
    agent.write_config({"agent": {"dataDir": str(agent.data_dir)}, "pipelines": list(pipelines),
                        "tests": list(tests)})


def test_try_shows_each_record_behind_each_stage_and_writes_nothing(agent):
    configure(agent, mqtt_to_http())
    done = agent.command("try", "-c", agent.config_path, "--topic", "f/7",
                         stdin='{"temp":41}\n{"temp":3}\nnonsense\n')
    assert (done.returncode, done.stderr) == (1, "")  # there would be a dead letter
    lines = done.stdout.splitlines()
    assert "decode json: 2 records, 1 dead letter" in lines
    assert "  dead letter, line 3: invalid JSON at column 1: expected an object" in lines
    assert "filter: 1 record, 1 filtered" in lines
    assert lines[-2] == "http would get 1 record:"
    assert json.loads(lines[-1]) == {"temp": 41, "line": "7", "kelvin": 314}
    assert not agent.data_dir.exists()


def test_try_as_data(agent):
    configure(agent, mqtt_to_http(), csv_to_file(agent))
    done = agent.command("try", "-c", agent.config_path, "--pipeline", "table", "--json", stdin="a,b\n1,2\n3\n")
    shown = conforming(done.stdout, "try")
    assert shown["pipeline"] == "table"
    assert [stage["name"] for stage in shown["stages"]] == ["decode csv", "encode csv"]
    assert shown["stages"][0]["records"] == [{"a": 1, "b": 2}]
    assert shown["stages"][0]["deadLetters"] == [
        {"line": 3, "reason": "the row has 1 field, not 2", "what": "3"}]
    assert shown["sent"] == ["1,2"]
    assert not (agent.folder / "out.csv").exists()


def test_try_hints_where_a_comparison_cannot_mean_what_was_written(agent):
    configure(agent, mqtt_to_http())
    done = agent.command("try", "-c", agent.config_path, "--topic", "f/7", stdin='{"temp":"hot"}\n')
    assert done.returncode == 0
    assert '"temp" is compared with a number, and is a text in some records' in done.stderr


def test_try_needs_to_know_what_it_is_to_try(agent):
    configure(agent, mqtt_to_http(), csv_to_file(agent))
    for arguments, message in ((("--pipeline", "tabel"), 'no pipeline is called "tabel", did you mean "table"?'),
                               ((), "which pipeline? There are several"),
                               (("--pipeline", "press"), "(--topic)")):
        done = agent.command("try", "-c", agent.config_path, *arguments, stdin='{"temp":1}\n')
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr


def test_sql_on_standard_input(agent):
    done = agent.command("sql", "SELECT sum(a) AS s, count(*) AS n FROM input", stdin='{"a":1}\n{"a":4}\n')
    assert (done.returncode, done.stdout, done.stderr) == (0, '{"s":5,"n":2}\n', "")
    done = agent.command("sql", "SELECT b, a FROM input WHERE a > 1", "--from", "csv", "--to", "csv",
                         stdin="a,b\n1,x\n2,y\n")
    assert (done.returncode, done.stdout) == (0, "b,a\ny,2\n")
    done = agent.command("sql", "SELECT FROM", stdin="")
    assert done.returncode == 2
    assert "syntax error" in done.stderr


def test_tests_of_a_configuration(agent):
    configure(agent, mqtt_to_http(), csv_to_file(agent), tests=[
        {"name": "hot ones pass", "pipeline": "press", "topic": "f/7",
         "input": [{"temp": 41}, {"temp": 3}, "nonsense"],
         "expect": [{"kelvin": 314, "line": "7", "temp": 41.0}], "expectDead": ["invalid JSON"]},
        {"pipeline": "table", "input": "a,b\n1,2\n3\n", "expect": ["1,2"], "expectDead": 1}])
    done = agent.command("test", "-c", agent.config_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["ok: hot ones pass", "ok: tests[1]", "2 tests, 0 failed"]


def test_a_test_that_fails_shows_what_differs(agent):
    configure(agent, csv_to_file(agent))
    tests = agent.folder / "more.json"
    tests.write_text(json.dumps({"tests": [
        {"input": "a,b\n1,2\n", "expect": [{"a": 1, "b": 3}, {"a": 2}]},
        {"input": "a,b\n1\n", "expectDead": ["another reason"]},
        {"input": "a,b\n1\n2\n", "expect": []}]}))
    done = agent.command("test", "-c", agent.config_path, "--tests", tests)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "failed: tests[0]", "  record 1", '    - {"a":1,"b":3}', '    + {"a":1,"b":2}',
        "  record 2", '    - {"a":2}',
        "failed: tests[1]", "  dead letter 1", "    - another reason",
        "    + line 2: the row has 1 field, not 2",
        "failed: tests[2]", "  dead letter 1", "    + line 2: the row has 1 field, not 2",
        "  dead letter 2", "    + line 3: the row has 1 field, not 2", "3 tests, 3 failed"]


def test_check_says_what_is_wrong_with_tests(agent):
    configure(agent, csv_to_file(agent), tests=[{"expectDead": "x", "pipelin": "a"}])
    done = agent.command("check", "-c", agent.config_path)
    assert done.returncode == 2
    assert 'tests[0].pipelin: unknown key, did you mean "pipeline"?' in done.stderr
    assert 'tests[0].expectDead: must be a list such as ["a part of the reason"]' in done.stderr
    assert "tests[0].input: " in done.stderr
    configure(agent, csv_to_file(agent))
    done = agent.command("test", "-c", agent.config_path)
    assert done.returncode == 2
    assert 'has no "tests"' in done.stderr
