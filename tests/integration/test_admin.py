"""`agent.admin`: the API over TCP, and who is let in there."""

import http.client
import json
import os
import resource
import shutil
import signal
import socket
import ssl
import subprocess

import pytest

from harness.pipelines import file_source, http_sink, pipeline
from harness.ports import free_port
from harness.waiting import wait_for

TOKEN = "0123456789abcdef"


@pytest.fixture(autouse=True)
def in_this_build(agent):
    agent.configure(admin={})
    if "is not in this build" in agent.command("check", "-c", str(agent.config_path)).stderr:
        pytest.skip("agent.admin is not in this build")


def ask(port, path, method="GET", token=None, context=None, host=None, body=None):
    connection = (http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)
                  if context else http.client.HTTPConnection("127.0.0.1", port, timeout=20))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if host:
        headers["Host"] = host
    try:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_on_loopback_all_may_look_and_only_a_token_changes_anything(agent, collector, telemetry):
    port = free_port()
    log = telemetry(10)
    agent.configure(pipeline(file_source(log, follow=True), http_sink(collector)),
                    admin={"listen": f"127.0.0.1:{port}"})
    agent.start()
    agent.wait_log(rf"admin: listening on http://127.0.0.1:{port}")
    collector.wait_records(10)
    assert json.loads(ask(port, "/api/v1/status")[1])["id"] == "test"
    assert "leat_sink_up" in ask(port, "/metrics")[1]
    assert ask(port, "/api/v1/pipelines/p/pause", "POST")[0] == 403
    assert ask(port, "/metrics", host="evil.example")[0] == 403

    # A new configuration changes it, and takes it away.
    other = free_port()
    agent.configure(pipeline(file_source(log, follow=True), http_sink(collector)),
                    admin={"listen": f"127.0.0.1:{other}", "tokens": TOKEN})
    agent.send(signal.SIGHUP)
    wait_for(lambda: listens(other) and not listens(port))
    status, _, headers = ask(other, "/metrics")
    assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="leat"')
    assert ask(other, "/metrics", token=TOKEN + "0")[0] == 401
    assert ask(other, "/metrics", token=TOKEN)[0] == 200
    assert ask(other, "/api/v1/pipelines/p/pause", "POST", token=TOKEN)[0] == 202
    agent.configure(pipeline(file_source(log, follow=True), http_sink(collector)))
    agent.send(signal.SIGHUP)
    wait_for(lambda: not listens(other))
    assert TOKEN not in agent.log


def test_a_token_lets_do_what_its_role_may(agent, collector, telemetry):
    port = free_port()
    reads, operates = "looks-" + "r" * 16, "operates-" + "o" * 16
    agent.configure(
        pipeline(file_source(telemetry(10), follow=True), http_sink(collector)), probation="0s",
        admin={"listen": f"127.0.0.1:{port}",
               "tokens": [TOKEN, {"token": operates, "role": "operate"},
                          {"id": "grafana", "token": reads, "role": "read"}]})
    agent.start()
    collector.wait_records(10)
    config = agent.config_path.read_text()

    def status(token, method, path, body=None):
        return ask(port, path, token=token, method=method, body=body)[0]
    for token in (reads, operates, TOKEN):
        for path in ("status", "config", "dead-letters"):
            assert status(token, "GET", f"/api/v1/{path}") == 200
    assert status(reads[:-1], "GET", "/api/v1/status") == 401
    refused = ask(port, "/api/v1/pipelines/p/pause", "POST", token=reads)
    assert refused[:2] == (403, "pipeline.pause: needs the role operate, and who asks has read\n")
    assert status(operates, "POST", "/api/v1/pipelines/p/pause") == 202
    assert status(operates, "POST", "/api/v1/pipelines/p/resume") == 202
    for token in (reads, operates):
        assert status(token, "PUT", "/api/v1/config", config) == 403
        assert status(token, "POST", "/api/v1/config/rollback") == 403
    assert status(TOKEN, "PUT", "/api/v1/config", config) == 202

    shown = json.loads(ask(port, "/api/v1/config", token=reads)[1])["agent"]["admin"]["tokens"]
    hidden = "*" * 16
    assert shown == [hidden, {"token": hidden, "role": "operate"},
                     {"token": hidden, "id": "grafana", "role": "read"}]
    for token in (TOKEN, operates, reads):
        assert token not in agent.log


@pytest.mark.parametrize("probation", ["1h"])
def test_one_that_leaves_no_token_that_may_configure_is_taken_back(agent, collector, telemetry, probation):
    port = free_port()
    config = pipeline(file_source(telemetry(10), follow=True), http_sink(collector))
    desk = {"id": "desk", "token": TOKEN, "role": "configure"}
    agent.configure(config, probation=probation, admin={"listen": f"127.0.0.1:{port}", "tokens": [desk]})
    agent.start()
    collector.wait_records(10)
    agent.configure(config, probation=probation, admin={
        "listen": f"127.0.0.1:{port}", "tokens": [{**desk, "role": "operate"}]})
    wrong = agent.config_path.read_text()
    assert ask(port, "/api/v1/config", "PUT", token=TOKEN, body=wrong)[0] == 202
    agent.wait_log("the agent cannot be asked over TCP any more")

    def last():
        try:
            return json.loads(ask(port, "/api/v1/config/versions", token=TOKEN)[1])["versions"][0]
        except (OSError, http.client.HTTPException):  # who listens is another one just now
            return {}
    taken_back = wait_for(lambda: last().get("state") == "rolledBack" and last(), what="it is taken back")
    assert taken_back["author"] == "over agent.admin, token desk"
    assert ask(port, "/api/v1/config/check", "POST", token=TOKEN, body=wrong)[0] == 200  # it may again


def test_under_tls_it_proves_who_it_is(agent, collector, telemetry, certs):
    port = free_port()
    agent.configure(pipeline(file_source(telemetry(10), follow=True), http_sink(collector)),
                    admin={"listen": f"0.0.0.0:{port}", "tokens": [TOKEN],
                           "tls": {"cert": str(certs.server), "key": str(certs.server_key)}})
    agent.start()
    wait_for(lambda: listens(port))
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=str(certs.ca))
        context.minimum_version = context.maximum_version = version
        wait_for(lambda: answer(port, context, TOKEN) == 200)
        wait_for(lambda: answer(port, context, None) == 401)
    wait_for(lambda: answer(port, ssl.create_default_context(), TOKEN) == "not trusted")


def answer(port, context, token):
    try:
        return ask(port, "/health", token=token, context=context)[0]
    except ssl.SSLCertVerificationError:
        return "not trusted"
    except OSError:
        return None  # one handshake too many in this second


def test_certificates_that_cannot_be_used_leave_the_agent_running_without_it(
        agent, collector, telemetry):
    port = free_port()
    agent.configure(pipeline(file_source(telemetry(10), follow=True), http_sink(collector)),
                    admin={"listen": f"127.0.0.1:{port}",
                           "tls": {"cert": "/nowhere.pem", "key": "/nowhere.key"}})
    agent.start()
    agent.wait_log(rf"admin: this agent cannot be asked at 127.0.0.1:{port}: agent.admin.tls.cert: ")
    collector.wait_records(10)
    assert not listens(port)


def test_what_was_open_before_goes_on_when_a_reload_cannot_open_the_new(
        agent, collector, telemetry):
    port = free_port()
    sink = http_sink(collector)
    agent.configure(pipeline(file_source(telemetry(10), follow=True), sink),
                    admin={"listen": f"127.0.0.1:{port}"})
    agent.start()
    wait_for(lambda: listens(port))
    missing = {"cert": "/nowhere.pem", "key": "/nowhere.key"}
    agent.configure(pipeline(file_source(telemetry(10), follow=True), sink),
                    admin={"listen": f"127.0.0.1:{port}", "tls": missing})
    agent.send(signal.SIGHUP)
    agent.wait_log("agent.admin.tls.cert: open /nowhere.pem: no such file or directory; "
                   "as it was configured before, it can")
    assert ask(port, "/metrics")[0] == 200
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        other = taken.getsockname()[1]
        agent.configure(pipeline(file_source(telemetry(10), follow=True), sink),
                        admin={"listen": f"127.0.0.1:{other}"})
        agent.send(signal.SIGHUP)
        agent.wait_log(f"cannot be asked at 127.0.0.1:{other}: .*; as it was")
        assert ask(port, "/metrics")[0] == 200


def test_what_others_can_reach_without_tokens_and_tls_is_refused(agent):
    agent.configure(admin={"listen": "0.0.0.0:8480", "tokens": [TOKEN]})
    done = agent.command("check", "-c", str(agent.config_path))
    assert done.returncode == 2
    assert 'agent.admin.listen: "0.0.0.0:8480" can be reached by others' in done.stderr
    assert agent.run() == 2


@pytest.mark.parametrize("tls", [False, True])
def test_whatever_is_sent_there_pipelines_go_on(agent, collector, telemetry, certs, tls):
    """Garbage, heads and bodies that never end or are too large, answers that nobody reads: 1,000 of them."""
    admin = {"listen": f"127.0.0.1:{free_port()}"}
    if tls:
        admin["tls"] = {"cert": str(certs.server), "key": str(certs.server_key)}
    port = int(admin["listen"].split(":")[1])
    said = [b"GET /metrics HTTP/1.1\r\nHost:", os.urandom(2000), b"\x16\x03\x01\x02\x00\x01\x00",
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 100_000,
            b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000,
            b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 200,
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 200]
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(few, 2048), most), most))
    log = agent.folder / "grows.jsonl"
    log.touch()
    agent.configure(pipeline(file_source(log, follow=True), http_sink(collector)), admin=admin)
    agent.start()
    wait_for(lambda: listens(port))
    connections = []
    for n in range(1_000):
        one = socket.socket()
        one.settimeout(0.3)  # where too many want in at once, the next try comes after a second
        try:
            one.connect(("127.0.0.1", port))
            one.sendall(said[n % len(said)])
        except OSError:
            pass  # it was one too many
        connections.append(one)
    log.write_bytes(telemetry(20_000).read_bytes())
    collector.wait_records(20_000)
    for one in connections:
        one.close()
    context = ssl.create_default_context(cafile=str(certs.ca)) if tls else None

    def answers():
        try:
            return ask(port, "/ready", context=context)[0] == 200
        except (OSError, http.client.HTTPException):
            return False
    wait_for(answers)


def test_prometheus_scrapes_it(agent, collector, telemetry, tmp_path, spawn):
    if shutil.which("prometheus") is None:
        pytest.skip("Debian's package prometheus is not installed; .ci/run installs it")
    port, its_port = free_port(), free_port()
    agent.configure(pipeline(file_source(telemetry(500), follow=True), http_sink(collector)),
                    admin={"listen": f"127.0.0.1:{port}", "tokens": [TOKEN]})
    agent.start()
    collector.wait_records(500)
    config = tmp_path / "prometheus.yml"
    config.write_text(json.dumps({
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{"job_name": "leat", "authorization": {"credentials": TOKEN},
                            "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}]}))
    with open(tmp_path / "prometheus.log", "w", encoding="utf8") as log:
        spawn(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path}/tsdb",
               f"--web.listen-address=127.0.0.1:{its_port}"], stdout=log, stderr=log)

    def value(query):
        try:
            answer = json.loads(ask(its_port, f"/api/v1/query?query={query}")[1])
        except (OSError, ValueError):  # it is not ready yet
            return None
        found = answer.get("data", {}).get("result", [])
        return found[0]["value"][1] if found else None
    wait_for(lambda: value("leat_records_delivered_total") == "500")
    assert value("leat_sink_up") == "1"
    assert value("leat_delivery_latency_seconds_count") == "500"
    assert value("up") == "1"
