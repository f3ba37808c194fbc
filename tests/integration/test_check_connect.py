"""`leat check --connect`: each peer of a configuration is asked, and says whether all is there."""

import os
import pty
import socket
import sqlite3

import pytest

from harness.mqtt_peer import CONNECT, DISCONNECT, SUBSCRIBE, FakeBroker
from harness.output import conforming
from harness.pipelines import file_source
from harness.ports import free_port

GENERATOR = {"type": "generator", "rate": 1}


def chain(source=None, sink=None, name="p", **more):
    return {"name": name, "source": source or GENERATOR, "sink": sink or {"type": "stdout"}, **more}


@pytest.fixture
def connect(agent):
    """connect(pipeline, …): the exit code, and what each peer says, by "NAME source" and so on."""
    def run(*pipelines, timeout="20s"):
        agent.configure(*pipelines, memory="32MiB")
        done = agent.command("check", "-c", agent.config_path, "--connect", "--json",
                             "--timeout", timeout)
        answer = conforming(done.stdout, "check")
        assert answer["ok"] == (done.returncode == 0), done
        peers = {f"{peer['pipeline']} {peer['stage']}": peer for peer in answer["peers"]}
        assert all(peer["ok"] for peer in peers.values()) == answer["ok"]
        return done.returncode, {name: (peer["ok"], peer["message"]) for name, peer in peers.items()}
    return run


def says(connect, *pipelines, **how):
    """Of one peer, which must fail."""
    code, peers = connect(*pipelines, **how)
    assert code == 1, peers
    (good, message), = peers.values()
    assert not good
    return message


# --- words, codes, time ---------------------------------------------------------------------------


def test_each_peer_has_a_line_and_one_that_fails_makes_the_exit_code_1(agent, tmp_path):
    (tmp_path / "in.jsonl").write_text("{}\n")
    agent.configure(chain(file_source(tmp_path / "in.jsonl"),
                          {"type": "file", "path": str(tmp_path)}),
                    chain(name="q"))
    done = agent.command("check", "-c", agent.config_path, "--connect")
    lines = done.stdout.splitlines()[3:]
    assert done.returncode == 1
    assert lines[0].startswith("p source file: ok in ") and lines[0].endswith(" ms: 1 file can be read")
    assert lines[1] == f"p sink file: failed: write {tmp_path}: is a directory"
    assert len(lines) == 2, "a generator and standard output are no peers"
    assert not agent.data_dir.exists()


def test_a_configuration_with_an_error_asks_nobody(agent):
    agent.configure(chain(sink={"type": "http", "url": "ftp://x"}))
    done = agent.command("check", "-c", agent.config_path, "--connect", "--json")
    assert done.returncode == 2
    assert conforming(done.stdout, "check")["peers"] == []


def test_who_never_answers_costs_the_deadline_and_nobody_else(connect, make_mosquitto):
    broker = make_mosquitto()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        sinks = {"mqtt": {"type": "mqtt", "url": f"mqtt://127.0.0.1:{port}", "topic": "t"},
                 "postgres": {"type": "postgres", "table": "t",
                              "url": f"postgresql://u@127.0.0.1:{port}/d?sslmode=disable"},
                 "https": {"type": "http", "url": f"https://127.0.0.1:{port}/",
                           "tls": {"verify": False}},
                 "well": {"type": "mqtt", "url": broker.url, "topic": "t"}}
        code, peers = connect(*(chain(sink=sink, name=name) for name, sink in sinks.items()),
                              timeout="1s")
    assert code == 1
    assert peers["well sink"][0]
    for name in ("mqtt", "postgres", "https"):
        assert peers[f"{name} sink"] == (False, "no answer within 1.0s")


def test_a_port_that_nobody_listens_on(connect):
    port = free_port()
    code, peers = connect(
        chain({"type": "mqtt", "url": f"mqtt://127.0.0.1:{port}", "topics": ["t"]},
              {"type": "http", "url": f"http://127.0.0.1:{port}/"}),
        chain(sink={"type": "postgres", "table": "t",
                    "url": f"postgresql://u@127.0.0.1:{port}/d?sslmode=disable"}, name="q"))
    assert code == 1
    for _, message in peers.values():
        assert "connection refused" in message, peers


# --- mqtt -----------------------------------------------------------------------------------------


def mqtt_source(broker, *topics, **more):
    return {"type": "mqtt", "url": broker.url, "topics": list(topics), "format": "raw", **more}


def test_mqtt_is_asked_for_each_topic_and_for_who_comes(connect, make_mosquitto):
    broker = make_mosquitto(users={"gw": "secret"}, acl="user gw\ntopic read plant/#\n")
    gw = {"user": "gw", "password": "secret"}
    code, peers = connect(chain(mqtt_source(broker, "plant/+/t", "$share/g/plant/#", **gw)),
                          chain(sink={"type": "mqtt", "url": broker.url, "topic": "x", **gw}, name="q"))
    assert (code, peers["p source"]) == (0, (True, f"{broker.url}: MQTT 5, 2 topics granted"))
    assert peers["q sink"] == (True, f"{broker.url}: MQTT 5")
    wrong = says(connect, chain(mqtt_source(broker, "plant/#", user="gw", password="no")))
    assert "not authorised" in wrong and '(as client "leat-test-p-check")' in wrong


def test_mqtt_stages_of_one_client_id_do_not_throw_each_other_out(connect, mosquitto):
    one = mqtt_source(mosquitto, "t", clientId="same")
    code, peers = connect(*(chain(one, name=name) for name in "pqrs"))
    assert code == 0, peers


def test_nothing_is_written_in_a_folder_of_the_kernel_whoever_asks(connect):
    for sink in ({"type": "sqlite", "path": "/proc/x.db", "table": "t"},
                 {"type": "file", "path": "/proc/x.ndjson"}):
        assert "write in /proc" in says(connect, chain(sink=sink))


def test_mqtt_subscribes_under_a_name_of_its_own_acknowledges_nothing_and_leaves(connect):
    heard = []

    def script(peer):
        peer.accept()
        peer.accept_subscription(1)
        peer.publish("plant/a", b"{}", number=7, retain=True)
        peer.accept_subscription(0x87)
        peer.accept_subscription(1)
        peer.expect(DISCONNECT)
        heard.extend(peer.received)

    broker = FakeBroker(script)
    will = {"topic": "gone", "payload": "1"}
    try:
        message = says(connect, chain(mqtt_source(broker, "plant/a", "office/b", "$share/g/c",
                                                  version="5", will=will)))
    finally:
        broker.close()
    assert message == (f'{broker.url}: the broker refuses the subscription to "office/b" '
                       '(not authorised) (to client "leat-test-p-check")')
    assert [kind for kind, _, _ in heard] == [CONNECT, SUBSCRIBE, SUBSCRIBE, SUBSCRIBE, DISCONNECT]
    assert b"leat-test-p-check" in heard[0][2]
    assert heard[0][2][7] == 0b10, "a clean start, and no will"
    assert heard[1][2].endswith(b"plant/a" + bytes([1 | 2 << 4])), "no retained messages are asked for"
    assert b"$share/leat-check-g/c" in heard[3][2]


def test_mqtt_takes_no_message_from_the_agent_that_runs(agent, connect, mosquitto, collector):
    """Neither its connection, nor a message of its session or of its group."""
    source = {**mqtt_source(mosquitto, "t", "$share/g/s"), "format": "json"}
    agent.configure(chain(source, {"type": "http", "url": collector.url}))
    agent.start()
    mosquitto.wait_log("Sending SUBACK to leat-test-p", 1)
    mosquitto.publish("t", '{"n":0}', retain=True)
    collector.wait_records(1)
    agent.terminate()
    assert agent.wait() == 0
    mosquitto.publish("t", '{"n":1}')
    code, peers = connect(chain(source, {"type": "http", "url": collector.url}))
    assert code == 0, peers
    agent.start()
    collector.wait_records(2)
    connected = mosquitto.log.count("as leat-test-p ")
    assert agent.command("check", "-c", agent.config_path, "--connect").returncode == 0
    for n in range(2, 6):
        mosquitto.publish("s", f'{{"n":{n}}}')
    collector.wait_records(6)
    assert mosquitto.log.count("as leat-test-p ") == connected
    assert sorted(record["n"] for record in collector.records()) == list(range(6))


# --- http -----------------------------------------------------------------------------------------


def test_http_is_connected_and_gets_no_request(connect, collector, make_nginx, certs):
    nginx = make_nginx(cert=certs.server, key=certs.server_key)
    trusted, stranger = {"ca": str(certs.ca)}, {"ca": str(certs.other_ca)}
    code, peers = connect(
        chain(sink={"type": "http", "url": collector.url}),
        chain(sink={"type": "http", "url": nginx.url, "tls": trusted}, name="good"),
        chain(sink={"type": "http", "url": nginx.url, "tls": stranger}, name="bad"))
    assert code == 1
    assert peers["p sink"][0] and peers["good sink"][1].endswith("connected, TLS is well")
    assert not peers["bad sink"][0] and "certificate" in peers["bad sink"][1]
    assert not collector.requests


# --- postgres -------------------------------------------------------------------------------------


def postgres_sink(url, table="t", **more):
    return {"type": "postgres", "url": url, "table": table, **more}


def test_postgres_has_the_table_its_columns_and_the_rights(connect, database):
    database.query("""
        CREATE TABLE t (id int PRIMARY KEY, v text, twice int GENERATED ALWAYS AS (id * 2) STORED);
        CREATE TABLE reads (id int PRIMARY KEY, v text);
        CREATE TABLE part_of (id int, v text);
        GRANT SELECT ON reads TO trusted;
        GRANT INSERT ON t TO trusted; GRANT INSERT (id) ON part_of TO trusted;
        REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE FUNCTION boom() RETURNS trigger AS
        $$ BEGIN RAISE EXCEPTION 'fired'; END $$ LANGUAGE plpgsql;
        CREATE TRIGGER boom BEFORE INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION boom();""")
    writer = database.url_of("trusted")
    sinks = {
        "copy": postgres_sink(writer), "insert": postgres_sink(writer, writeMode="insert"),
        "upsert": postgres_sink(database.url, writeMode="upsert", key=["id"]),
        "some": postgres_sink(writer, "part_of"), "named": postgres_sink(writer, "part_of", columns={"a": "id"}),
        "new": postgres_sink(database.url, "new", createTable=True),
        "once": postgres_sink(database.url)}
    code, peers = connect(*(chain(file_source("/nowhere", follow=True), sink, name=name,
                                  delivery={"guarantee": "exactlyOnce"} if name == "once" else {})
                            for name, sink in sinks.items()))
    assert code == 0, peers
    assert peers["copy sink"][1].endswith("table t with 3 columns")
    assert peers["new sink"][1].endswith('"new" is made with the first records')
    assert database.value("SELECT to_regclass('leat_positions') IS NULL AND to_regclass('new') IS NULL") == "t"

    sinks = {
        "missing": (postgres_sink(database.url, "nix"), "there is no table"),
        "column": (postgres_sink(database.url, columns={"a": "nix"}), "has no column nix"),
        "key": (postgres_sink(database.url, writeMode="upsert", key=["v"]), "no unique index"),
        "insert": (postgres_sink(writer, "reads"), "permission denied for table"),
        "columns": (postgres_sink(writer, "part_of", columns={"a": "id", "b": "v"}), "permission denied"),
        "update": (postgres_sink(writer, writeMode="upsert", key=["id"]), "permission denied"),
        "create": (postgres_sink(writer, "new", createTable=True), "permission denied for schema"),
        "password": (postgres_sink(database.url_of("scram_user", password="no")), "password authentication failed"),
        "database": (postgres_sink(database.server.url("nix")), 'database "nix" does not exist')}
    code, peers = connect(*(chain(sink=sink, name=name) for name, (sink, _) in sinks.items()))
    assert code == 1
    for name, (_, words) in sinks.items():
        good, message = peers[f"{name} sink"]
        assert not good and words in message, (name, message)


# --- files, SQLite, serial ------------------------------------------------------------------------


def test_files_that_are_to_be_read_and_folders_that_are_to_be_written_to(connect, tmp_path):
    (tmp_path / "a.jsonl").write_text("{}\n")
    (tmp_path / "taken").mkdir()
    pattern = str(tmp_path / "*.jsonl")
    code, peers = connect(
        chain(file_source(pattern), {"type": "file", "path": str(tmp_path / "out")}),
        chain(file_source(str(tmp_path / "none"), follow=True),
              {"type": "file", "path": str(tmp_path / "taken")}, name="follow"),
        chain(file_source(str(tmp_path / "none")), name="missing"),
        chain(file_source(str(tmp_path / "x*")), name="empty"))
    assert code == 1
    assert peers["p source"] == (True, "1 file can be read")
    assert peers["p sink"][0] and peers["follow source"] == (True, f"{tmp_path}/none: no file yet")
    assert peers["follow sink"] == (False, f"write {tmp_path}/taken: is a directory")
    assert peers["missing source"] == (False, f"open {tmp_path}/none: no such file or directory")
    assert peers["empty source"] == (False, f"{tmp_path}/x*: there is no such file")
    assert sorted(os.listdir(tmp_path / "taken")) == [] and not (tmp_path / "out").exists()


def test_sqlite_has_the_table(connect, tmp_path):
    path = tmp_path / "data.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
    database.close()
    (tmp_path / "text").write_text("this is no database, but it is long enough to be taken for one" * 20)

    def sink(path=path, table="t", **more):
        return {"type": "sqlite", "path": str(path), "table": table, **more}
    sinks = {
        "there": (sink(key=["ID"], createTable=False), True, "table t has 2 columns"),
        "new": (sink(tmp_path / "new.db"), True, "is made with the first records"),
        "table": (sink(table="nix", createTable=False), False, "there is no table nix"),
        "key": (sink(key=["nix"], createTable=False), False, "has no column nix"),
        "file": (sink(tmp_path / "none.db", createTable=False), False, "no such file"),
        "text": (sink(tmp_path / "text"), False, "file is not a database")}
    code, peers = connect(*(chain(sink=one, name=name) for name, (one, _, _) in sinks.items()))
    assert code == 1
    for name, (_, good, words) in sinks.items():
        assert peers[f"{name} sink"][0] == good and words in peers[f"{name} sink"][1], (name, peers)
    assert not (tmp_path / "new.db").exists()


def test_a_serial_port_is_opened_and_closed(connect, tmp_path):
    master, slave = pty.openpty()
    try:
        port = {"type": "serial", "port": os.ttyname(slave), "format": "lines"}
        os.close(slave)
        code, peers = connect(chain(port))
        assert (code, peers["p source"]) == (0, (True, f"{port['port']}: opened and closed"))
        message = says(connect, chain({**port, "port": str(tmp_path / "ttyNONE")}))
        assert "is not there" in message
    finally:
        os.close(master)


# --- agent.cluster --------------------------------------------------------------------------------


def test_the_database_of_the_group_lets_the_agent_in_and_has_its_tables_or_takes_them(agent, database):
    def ask(url):
        agent.configure(chain(), cluster={"url": url, "group": "etl"})
        done = agent.command("check", "-c", agent.config_path, "--connect", "--json")
        answer = conforming(done.stdout, "check")
        (peer,) = answer["peers"]
        assert (peer["stage"], peer["path"], done.returncode) == ("cluster", "agent.cluster", 0 if peer["ok"] else 1)
        return peer["ok"], peer["message"]

    database.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    good, message = ask(database.url)
    assert good and "made by the first agent" in message
    assert database.value("SELECT to_regclass('leat_cluster_members') IS NULL") == "t", "nothing is made by asking"
    good, message = ask(database.url_of("trusted"))
    assert not good and "may not make them" in message
    good, message = ask(database.url_of("trusted").replace("/test", "/nowhere"))
    assert not good and "nowhere" in message

    agent.configure(chain(), cluster={"url": database.url, "group": "etl"})
    agent.start()
    agent.wait_log("is in the group etl")  # asking writes its configuration anew
    assert ask(database.url) == (True, "agents of the group that are there now: 1")
    good, message = ask(database.url_of("trusted"))
    assert not good and "GRANT" in message
