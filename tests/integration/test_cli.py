"""The command line as a user meets it: check, explain, help, version, and what it says to mistakes."""

import json
import os
import re
import signal
import subprocess

import pytest

from conftest import ROOT
from harness.output import conforming


def pipeline(agent, **changes):
    """file → filter → stdout, over a file of three lines."""
    data = agent.folder / "in.jsonl"
    data.write_text("".join(f'{{"n":{n},"temp":{t}}}\n' for n, t in enumerate((50, 30, 60))))
    return {"source": {"type": "file", "path": [str(data)], "format": "json"},
            "transforms": [{"type": "filter", "where": "temp > 40"}],
            "sink": {"type": "stdout"}, **changes}


def check(agent, *arguments, **how):
    return agent.command("check", "-c", agent.config_path, *arguments, **how)


# --- check ---------------------------------------------------------------------------------------


def test_check_names_the_chain(agent):
    agent.configure(pipeline(agent, name="press-line"))
    done = check(agent)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "ok: 1 pipeline: press-line: file → filter → stdout\n"


def test_check_lists_several_pipelines(agent):
    agent.configure(pipeline(agent, name="a"), pipeline(agent, name="b", transforms=[]))
    assert check(agent).stdout == ("ok: 2 pipelines\n  a: file → filter → stdout\n"
                                   "  b: file → stdout\n")


def test_check_reads_standard_input(agent):
    agent.configure(pipeline(agent))
    done = agent.command("check", "-c", "-", stdin=agent.config_path.read_text())
    assert done.returncode == 0
    assert done.stdout.startswith("ok: 1 pipeline")


def test_check_opens_nothing(agent):
    agent.configure(pipeline(agent, sink={"type": "http", "url": "http://127.0.0.1:1/"}))
    assert check(agent).returncode == 0
    assert not agent.data_dir.exists()


def test_check_reads_the_files_that_a_configuration_names(agent, certs):
    missing, no_pem = agent.folder / "missing.pem", agent.folder / "no.pem"
    no_pem.write_text("this is no certificate")
    source = {"type": "mqtt", "url": "mqtts://broker", "topics": ["t"],
              "tls": {"ca": str(missing), "cert": str(no_pem), "key": str(agent.folder)}}
    sinks = [{"type": "http", "url": "https://h/", "tls": {"cert": str(certs.client), "key": str(certs.server_key)}},
             {"type": "postgres", "table": "t",
              "url": f"postgresql://u@h/d?sslmode=verify-full&sslrootcert={missing}"},
             {"type": "mqtt", "url": "mqtts://b", "topic": "t", "tls": {"ca": str(missing)}}]
    agent.configure(*({"name": f"p{i}", "source": source if i == 0 else {"type": "generator"},
                       "sink": sink} for i, sink in enumerate(sinks)),
                    admin={"tls": {"cert": str(missing), "key": str(missing)}})
    done = check(agent)
    assert done.returncode == 2
    for line in [f"agent.admin.tls.cert: open {missing}: no such file or directory",
                 f"agent.admin.tls.key: open {missing}: no such file or directory",
                 f"pipelines[0].source.tls.ca: open {missing}: no such file or directory",
                 f"pipelines[0].source.tls.cert: {no_pem}: nothing in PEM format that can be used",
                 f"pipelines[0].source.tls.key: read {agent.folder}: is a directory",
                 f"pipelines[0].sink.tls.key: {certs.server_key} is not the key of the certificate",
                 f"pipelines[1].sink.url: sslrootcert: open {missing}: no such file or directory",
                 f"pipelines[2].sink.tls.ca: open {missing}: no such file or directory"]:
        assert re.search(rf"^{re.escape(line)}.* \({re.escape(str(agent.config_path))}:\d+:\d+\)$",
                         done.stderr, re.MULTILINE), (line, done.stderr)
    # On another machine, too, one can look at what it would do.
    assert agent.command("explain", "-c", agent.config_path).returncode == 0


def test_check_reports_all_errors_one_line_each(agent):
    agent.write_config({
        "agent": {"dataDir": "/tmp/x", "memory": "lots", "wrokers": 1},
        "pipelines": [{
            "name": "a b",
            "source": {"type": "file", "paht": "x", "format": "jsno", "follow": "yes"},
            "transforms": [{"type": "filter", "where": "temp >"}, {"type": "fliter"},
                           {"type": "map", "set": ["a"]}],
            "sink": {"type": "http", "ulr": "http://x", "inFlight": 0, "timeout": 30,
                     "batch": {"records": 0, "linger": "soon"}},
            "delivery": {"guarantee": "exactly", "retry": {"initial": 5}},
            "limit": {}}]})
    done = check(agent)
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    for start in ("agent.memory: must be a size such as",
                  'agent.wrokers: unknown key, did you mean "workers"?',
                  "pipelines[0].name: must be",
                  'pipelines[0].source.paht: unknown key, did you mean "path"?',
                  "pipelines[0].source.path: missing, and required",
                  'pipelines[0].source.format: must be one of "json"',
                  "pipelines[0].source.follow: must be true or false",
                  "pipelines[0].transforms[0]",
                  'pipelines[0].transforms[1].type: unknown transform: the string "fliter", '
                  'did you mean "filter"?',
                  "pipelines[0].transforms[2].set: must be an object",
                  'pipelines[0].sink.ulr: unknown key, did you mean "url"?',
                  "pipelines[0].sink.url: missing, and required",
                  "pipelines[0].sink.inFlight: must be between 1 and",
                  "pipelines[0].sink.timeout: must be a duration such as",
                  "pipelines[0].sink.batch.records: must be between 1 and",
                  "pipelines[0].sink.batch.linger: must be a duration such as",
                  "pipelines[0].delivery.guarantee: must be one of",
                  "pipelines[0].delivery.retry.initial: must be a duration such as",
                  'pipelines[0].limit: unknown key, did you mean "limits"?'):
        assert [line for line in lines if line.startswith(start)], start
    assert lines[-1] == f"leat: {agent.config_path}: {len(lines) - 1} errors"
    assert len(lines) - 1 == 19


def test_check_gives_problems_as_data(agent):
    agent.write_config({"agent": {"dataDir": "/tmp/x", "wrokers": 1}, "pipelines": []})
    done = check(agent, "--json")
    assert (done.returncode, done.stderr) == (2, "")
    answer = conforming(done.stdout, "check")
    assert not answer["ok"]
    assert [(p["path"], p["kind"], p["suggestion"]) for p in answer["problems"]] == [
        ("agent.wrokers", "unknownKey", "workers")]
    agent.write_config('{"agent": {"dataDir": "/tmp/x"}, "pipelines": [\n{"source": {"type": "file",'
                       '"path": "x"},\n"sink": {"type": "http", "url": "http://h",\n'
                       '"tls": {"ca": "/x"}}}]}')
    [said] = json.loads(check(agent, "--json").stdout)["problems"]
    assert said == {"path": "pipelines[0].sink.tls", "file": str(agent.config_path), "line": 4,
                    "column": 1, "severity": "error", "kind": "unused", "option": "tls",
                    "message": "has no effect on an http:// url; did you mean https://?"}
    agent.configure(pipeline(agent))
    assert conforming(check(agent, "--json").stdout, "check") == {"ok": True, "problems": []}


def test_check_says_where_the_syntax_is_wrong(agent):
    agent.write_config('{\n  "agent": {},\n  "pipelines": [],\n}\n')
    done = check(agent)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        f"',' before '}}': remove it ({agent.config_path}:4:1)")


@pytest.mark.parametrize("content", ["", "{", "[]", "nonsense", "\0", "{" * 5000, '{"a": "\x01"}',
                                     '{"pipelines": 1e999}', '"' * 99, "{}{}"])
def test_check_survives_any_file(agent, content):
    agent.write_config(content)
    done = check(agent)
    assert done.returncode == 2
    assert done.stderr.endswith(("1 error\n", "errors\n"))


def test_check_says_when_the_file_cannot_be_read(agent):
    done = agent.command("check", "-c", "missing.json")
    assert done.returncode == 2
    assert done.stderr == ("open missing.json: no such file or directory\n"
                           "leat: missing.json: 1 error\n")
    (agent.folder / "empty").mkdir()
    done = agent.command("check", "-c", agent.folder / "empty")
    assert done.returncode == 2
    assert "no *.json in this folder" in done.stderr


def test_warnings_hold_nothing_up_unless_check_is_strict(agent):
    out = str(agent.folder / "out")
    agent.configure(*[pipeline(agent, name=name, sink={"type": "file", "path": out})
                      for name in ("a", "b")])
    done = check(agent)
    assert done.returncode == 0
    assert done.stdout.startswith("ok: 2 pipelines")
    warning, count = done.stderr.splitlines()
    assert warning.startswith("warning: pipelines[1].sink.path: is the same as "
                              "pipelines[0].sink.path: each would write over")
    assert f"({agent.config_path}:" in warning
    assert count == f"leat: {agent.config_path}: 1 warning"
    answer = json.loads(check(agent, "--json").stdout)
    assert answer["ok"]
    assert [(p["severity"], p["kind"]) for p in answer["problems"]] == [("warning", "twice")]
    done = check(agent, "--strict")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("1 error\n")
    assert not json.loads(check(agent, "--strict", "--json").stdout)["ok"]


def test_secrets_in_headers_and_queries_are_warned_of_and_never_shown(agent):
    sink = {"type": "http", "url": "http://127.0.0.1:1/in?site=7&token=hunter2",
            "headers": {"X-Api-Key": "hunter2", "X-Site": "7", "Authorization": "${env:AUTH}"}}
    agent.configure(pipeline(agent, sink=sink))
    env = {"AUTH": "Bearer hunter2", "TOKEN": "hunter2"}
    answer = conforming(check(agent, "--json", env=env).stdout, "check")
    assert answer["ok"]
    assert [(problem["path"], problem["kind"]) for problem in answer["problems"]] == [
        ("pipelines[0].sink.url", "clearSecret"), ("pipelines[0].sink.headers.X-Api-Key", "clearSecret")]
    shown = agent.command("config", "-c", agent.config_path, env=env).stdout
    assert "hunter2" not in shown and "/in?site=7&token=***" in shown
    agent.configure(pipeline(agent, sink={**sink, "url": "http://h/?token=${env:TOKEN}", "headers": {}}))
    assert conforming(check(agent, "--json", env=env).stdout, "check")["problems"] == []


def test_a_run_logs_what_check_warns_of(agent):
    sink = {"type": "file", "path": "~/nowhere/out"}
    agent.configure(pipeline(agent, sink=sink))
    agent.start()
    agent.wait_log(r" warn config: pipelines\[0\]\.sink\.path: \"~\" is not replaced .*:\d+:\d+\)")
    if os.geteuid() == 0:
        agent.wait_log(" warn config: runs as root")
    agent.wait()


# --- config, new -----------------------------------------------------------------------------------


def test_a_starter_and_the_effective_configuration_pass_check(agent):
    done = agent.command("new", "file/filter,map/http")
    assert (done.returncode, done.stderr) == (0, "")
    agent.write_config(done.stdout)
    assert (check(agent, "--strict").returncode, check(agent).stdout) == (
        0, "ok: 1 pipeline: main: file → filter → map → http\n")
    done = agent.command("config", "-c", agent.config_path)
    assert (done.returncode, done.stderr) == (0, "")
    effective = json.loads(done.stdout)
    assert effective["pipelines"][0]["delivery"]["spool"] == "never"
    agent.write_config(done.stdout)
    assert check(agent, "--strict").returncode == 0
    done = agent.command("new", "fiel/http")
    assert (done.returncode, done.stdout) == (2, "")
    assert 'did you mean "file"?' in done.stderr


def test_config_says_what_is_wrong(agent):
    agent.write_config("{}")
    done = agent.command("config", "-c", agent.config_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("2 errors\n")


# --- check, further --------------------------------------------------------------------------------


def test_check_asks_for_a_data_dir_unless_the_command_line_has_one(agent):
    agent.write_config({"pipelines": [pipeline(agent)]})
    done = check(agent)
    assert done.returncode == 2
    assert done.stderr.startswith("agent.dataDir: missing, and required")
    assert "--data-dir" in done.stderr
    assert check(agent, "--data-dir", agent.data_dir).returncode == 0


def test_check_puts_in_variables_and_never_shows_them(agent):
    (agent.folder / "token").write_text("s3cret\n")
    sink = {"type": "http", "url": "${env:URL}/in", "auth": {"token": "${file:token}"}}
    agent.configure(pipeline(agent, sink=sink))
    done = check(agent, env={"URL": "http://127.0.0.1:1"})
    assert (done.returncode, done.stderr) == (0, "")

    done = check(agent, env={})
    assert done.returncode == 2
    assert done.stderr.startswith(
        "pipelines[0].sink.url: environment variable URL is not set (")

    sink["inFlight"] = "${env:SECRET}"
    agent.configure(pipeline(agent, sink=sink))
    done = check(agent, env={"URL": "http://127.0.0.1:1", "SECRET": "hunter2"})
    assert done.returncode == 2
    assert "${env:SECRET}" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
    assert "s3cret" not in done.stderr + done.stdout


def test_check_looks_for_the_folders_that_sinks_write_to(agent):
    folder = agent.folder
    sinks = [{"type": "file", "path": f"{folder}/none/out.jsonl"},
             {"type": "file", "path": f"{folder}/out.jsonl"},
             {"type": "sqlite", "path": f"{folder}/none/a.db", "table": "t"},
             {"type": "sqlite", "path": f"{folder}/new.db", "table": "t"}]
    agent.configure(*(pipeline(agent, name=f"p{n}", sink=sink) for n, sink in enumerate(sinks)))
    done = check(agent)
    assert done.returncode == 2
    assert [line.split(" (")[0] for line in done.stderr.splitlines() if ".sink" in line] == [
        f"pipelines[0].sink.path: open {folder}/none: no such file or directory",
        f"pipelines[2].sink.path: open {folder}/none: no such file or directory"], done.stderr
    assert not (folder / "new.db").exists()


EXAMPLES = sorted([*ROOT.glob("config/examples/*.json"), *ROOT.glob("board/*/leat.json")])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_check_likes_the_examples(agent, path):
    # The folders that they write to are there on a gateway.
    text = re.sub(r'"(?:build|/var/lib/leat)/(?:[^"/]*/)*([^"/]*)"', rf'"{agent.folder}/\1"',
                  path.read_text())
    agent.write_config(text)
    done = check(agent)
    assert (done.returncode, done.stderr) == (0, "")
    if "tests" in json.loads(text):
        done = agent.command("test", "-c", agent.config_path)
        assert done.returncode == 0, done.stdout


def test_check_likes_the_configuration_on_the_page(agent):
    page = (ROOT / "config" / "README.md").read_text()
    agent.write_config(re.search(r"```json\n(.*?)```", page, re.DOTALL)[1])
    done = check(agent, env={"INGEST_TOKEN": "t"})
    assert (done.returncode, done.stderr) == (0, "")


# --- explain -------------------------------------------------------------------------------------


def test_explain_shows_the_codecs_it_puts_in(agent):
    sink = {"type": "http", "url": "http://127.0.0.1:1/"}
    agent.configure(pipeline(agent, name="press-line", sink=sink))
    done = agent.command("explain", "-c", agent.config_path)
    assert (done.returncode, done.stderr) == (0, "")
    declared, injected, final = (re.search(rf"^ *{word} +(.*)$", done.stdout, re.MULTILINE)[1]
                                 for word in ("declared", "injected", "final"))
    assert "press-line" in done.stdout
    assert declared == "file (json) → filter → http (ndjson)"
    assert injected == "file → decode json → filter → encode ndjson → http"
    assert final == injected
    assert "  stages    1 decode json, 2 filter, 3 encode ndjson\n" in done.stdout, "as leat tap has them"


def test_explain_shows_when_bytes_pass_through(agent):
    sink = {"type": "http", "url": "http://127.0.0.1:1/"}
    agent.configure(pipeline(agent, transforms=[], sink=sink))
    output = agent.command("explain", "-c", agent.config_path).stdout
    assert re.search(r"^ *final +file → split ndjson → http$", output, re.MULTILINE), output
    assert "bytes pass through untouched" in output


def test_explain_of_a_wrong_configuration_is_an_error(agent):
    agent.write_config({})
    done = agent.command("explain", "-c", agent.config_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("2 errors")


# --- help and version ----------------------------------------------------------------------------


def names_in_help(agent):
    return set(re.findall(r"^  (\w+) ", agent.command("help").stdout.split("Sources:")[1],
                          re.MULTILINE))


def test_help_names_everything_and_explains_each(agent):
    names = names_in_help(agent)
    assert {"file", "generator", "filter", "map", "sql", "http", "sqlite", "stdout", "csv",
            "ndjson"} <= names
    for name in sorted(names | {"config"}):
        done = agent.command("help", name)
        assert (done.returncode, done.stderr) == (0, ""), name
        assert done.stdout.strip(), name
        for line in done.stdout.splitlines():
            assert len(line) <= 100, line


def test_help_of_a_source_and_sink_of_one_name_shows_both(agent):
    output = agent.command("help", "file").stdout
    assert "source file\n" in output
    assert "sink file\n" in output


def test_help_shows_type_default_and_meaning(agent):
    output = agent.command("help", "http").stdout
    assert re.search(r"^  url +string, required$", output, re.MULTILINE)
    assert re.search(r"^  inFlight +whole number, 1 to \d+, default \d+$", output, re.MULTILINE)
    assert re.search(r"^  batch\.linger +duration, default \"\w+\"$", output, re.MULTILINE)
    assert "${env:NAME}" in output


@pytest.mark.parametrize("words,first", [
    (("sql",), "leat sql QUERY"), (("config",), "leat config -c FILE"),
    (("journal",), "leat journal verify"), (("positions", "reset"), "leat positions reset PIPELINE")])
def test_help_of_a_command_begins_with_it_though_something_else_has_its_name(agent, words, first):
    done = agent.command(*words, "--help")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, first), done.stderr


def test_help_on_an_unknown_name_suggests_one(agent):
    done = agent.command("help", "htpp")
    assert done.returncode == 2
    assert done.stdout == ""
    assert 'no help on "htpp", did you mean "http"?' in done.stderr


def test_help_on_a_connector_that_the_build_lacks_says_so(agent):
    """Builds for gateways lack mysql, those for hosts have it."""
    done = agent.command("help", "mysql")
    if done.returncode == 0:
        assert done.stdout.startswith("source mysql\n")
    else:
        assert (done.returncode, done.stdout) == (2, "")
        assert 'leat: "mysql" was left out of this build of leat' in done.stderr


@pytest.mark.parametrize("arguments", [("help",), ("--help",), ("-h",), ("run", "--help")])
def test_help_is_on_stdout_in_every_spelling(agent, arguments):
    done = agent.command(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "leat run -c FILE" in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


@pytest.mark.parametrize("argument", ["version", "--version"])
def test_version(agent, argument):
    done = agent.command(argument)
    assert done.returncode == 0
    assert re.fullmatch(r"leat \d+\.\d+\.\d+\n", done.stdout)


def test_the_schema_in_the_repository_is_not_stale(agent):
    schema = agent.command("help", "--schema").stdout
    assert json.loads(schema)["title"] == "leat configuration"
    assert schema == (ROOT / "config" / "schema.json").read_text(), "run scripts/generate-docs"


def test_the_option_tables_in_the_repository_are_not_stale(leat):
    done = subprocess.run([ROOT / "scripts" / "generate-docs", "--check"], capture_output=True,
                          text=True, env={"LEAT_BIN": str(leat)}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# --- usage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments,message", [
    (("chekc",), 'leat: unknown command "chekc", did you mean "check"?'),
    (("run",), "leat: -c, --config FILE is missing. Write: leat run -c FILE"),
    (("run", "x.json"), 'leat: unexpected argument "x.json", did you mean "leat run -c x.json"?'),
    (("run", "--confg", "x"), 'leat: unknown option "--confg" of run, did you mean "--config"?'),
    (("run", "-c"), "leat: -c needs a value behind it"),
    (("run", "-c", "x", "--log-level", "loud"),
     'leat: --log-level must be one of debug, info, warn, error, found "loud"'),
])
def test_wrong_usage_exits_2_with_a_hint(agent, arguments, message):
    done = agent.command(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [message, 'Try "leat help"']


def test_leat_alone_says_how_to_begin(agent):
    done = agent.command()
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) <= 10
    assert "leat run -c FILE" in done.stderr


def test_the_list_for_programs_has_every_command_and_every_stage(agent):
    listed = conforming(agent.command("list", "--json").stdout, "list")
    assert {topic["name"] for topic in listed["topics"]} == names_in_help(agent)
    overview = agent.command("help").stdout
    for command in listed["commands"]:
        assert f"  leat {command['name']}" in overview
        shown = agent.command(*command["name"].split(), "--help")
        assert (shown.returncode, shown.stderr) == (0, "")
        for option in command["options"]:
            assert f"--{option['name']}" in shown.stdout


@pytest.mark.parametrize("words,expected", [
    (("stat",), "status"), (("status", "--w"), "--watch"), (("run", "--log-level", "w"), "warn"),
    (("help", "gener"), "generator"), (("run", "-c", "lea"), "leat.json"),
    (("sql", "--to", "nd"), "ndjson"), (("spool", "drop", "p", "--al"), "--all"),
    (("positions", "reset", "p", "--t"), "--to"), (("positions", "reset", "--to", ""), None)])
def test_bash_completes(agent, words, expected):
    agent.write_config({})
    script = ('source "$0"; COMP_WORDS=(leat "$@"); COMP_CWORD=$#; _leat; printf "%s " "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, ROOT / "board/package/completions/leat.bash", *words],
                          cwd=agent.folder, capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr) == ([expected] if expected else [], "")


def test_a_full_standard_output_is_an_error(leat):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([leat, "help"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert b"standard output" in done.stderr


# --- run -----------------------------------------------------------------------------------------


def test_run_delivers_and_exits_0(agent):
    agent.configure(pipeline(agent))
    assert agent.run() == 0
    assert [json.loads(line)["n"] for line in agent.stdout.splitlines()] == [0, 2]


def test_run_of_a_wrong_configuration_exits_2_and_reads_nothing(agent):
    agent.configure(pipeline(agent, sink={"type": "stduot"}))
    assert agent.run() == 2
    assert agent.stdout == b""
    assert 'did you mean "stdout"?' in agent.log
    assert not agent.data_dir.exists()


def test_run_keeps_its_journal_where_the_command_line_says(agent):
    agent.configure(pipeline(agent))
    other = agent.folder / "other"
    assert agent.run("--data-dir", other) == 0
    assert other.is_dir()
    assert not agent.data_dir.exists()


def test_run_logs_from_the_given_level_on(agent):
    agent.configure(pipeline(agent))
    assert agent.run("--log-level", "error") == 0
    assert not agent.log_lines(r" (debug|info|warn) ")


def test_reload_of_a_broken_file_is_reported_and_changes_nothing(agent):
    generator = {"type": "generator", "rate": 50}
    agent.configure(pipeline(agent, source=generator, transforms=[]))
    agent.start()
    agent.wait_for(lambda: agent.stdout, what="records on stdout")
    agent.configure(pipeline(agent, source={**generator, "rtae": 1}, transforms=[]))
    agent.send(signal.SIGHUP)
    agent.wait_log(r'pipelines\[0\]\.source\.rtae: unknown key, did you mean "rate"\?')
    before = len(agent.stdout)
    agent.wait_for(lambda: len(agent.stdout) > before, what="more records")
    agent.terminate()
    assert agent.wait() == 0
