"""The http sink against a real nginx and against servers that misbehave: TLS, requests, answers."""

import base64
import email.utils
import json
import ssl
import time
from pathlib import Path

import pytest

from harness.collector import Answer
from harness.pipelines import file_source, http_sink, pipeline, quick_retry
from harness.telemetry import expect_each_once

RECORDS = 500
ROOT = Path(__file__).resolve().parents[2]


def seqs(collector):
    return [record["seq"] for record in collector.records()]


def configure(agent, server, path, **sink):
    agent.configure(pipeline(file_source(path), http_sink(server, **sink),
                             delivery=quick_retry(initial="50ms", maximum="200ms")))
    return agent


def expect_trouble(agent, server, path, words, **sink):
    """The sink does not get through, says why, and gives nothing up."""
    configure(agent, server, path, **sink).start()
    agent.wait_log(f" warn .*{words}")
    assert agent.running()
    agent.kill()
    assert agent.dead_letters() == []


# --- nginx ---------------------------------------------------------------------------------------


def test_nginx_takes_everything_over_kept_connections(agent, nginx, telemetry):
    assert configure(agent, nginx, telemetry(RECORDS), inFlight=2).run() == 0
    assert [r["status"] for r in nginx.requests] == ["204"] * 5
    assert len({r["connection"] for r in nginx.requests}) <= 2
    assert len({r["key"] for r in nginx.requests}) == 5
    assert all(r["key"].strip('"') and r["protocol"] == "HTTP/1.1" for r in nginx.requests)


def test_nginx_passes_compressed_bodies_on(agent, collector, make_nginx, telemetry):
    nginx = make_nginx(upstream=collector.url)
    assert configure(agent, nginx, telemetry(RECORDS), compression="gzip").run() == 0
    expect_each_once(seqs(collector), RECORDS)
    assert {r["encoding"] for r in nginx.requests} == {"gzip"}


@pytest.mark.parametrize("by", ["localhost", "127.0.0.1"])
def test_https_to_a_server_of_a_known_authority(agent, make_nginx, certs, telemetry, by):
    nginx = make_nginx(cert=certs.server, key=certs.server_key)
    url = nginx.url.replace("localhost", by)
    assert configure(agent, nginx, telemetry(RECORDS), url=url, tls={"ca": str(certs.ca)}).run() == 0
    assert [r["status"] for r in nginx.requests] == ["204"] * 5


def test_https_with_a_client_certificate(agent, make_nginx, certs, telemetry):
    nginx = make_nginx(cert=certs.server, key=certs.server_key, client_ca=certs.ca)
    tls = {"ca": str(certs.ca), "cert": str(certs.client), "key": str(certs.client_key)}
    assert configure(agent, nginx, telemetry(RECORDS), tls=tls).run() == 0
    assert {(r["status"], r["client"]) for r in nginx.requests} == {("204", "SUCCESS")}


def test_a_missing_client_certificate_rejects_no_record(agent, make_nginx, certs, telemetry):
    nginx = make_nginx(cert=certs.server, key=certs.server_key, client_ca=certs.ca)
    expect_trouble(agent, nginx, telemetry(RECORDS), 'check "tls.cert"', tls={"ca": str(certs.ca)})


def test_a_refused_client_certificate_rejects_no_record(agent, make_nginx, certs, telemetry):
    nginx = make_nginx(cert=certs.server, key=certs.server_key, client_ca=certs.other_ca)
    tls = {"ca": str(certs.ca), "cert": str(certs.client), "key": str(certs.client_key)}
    expect_trouble(agent, nginx, telemetry(RECORDS), 'check "tls.cert"', tls=tls)


def test_a_tls_server_that_demands_a_client_certificate_in_the_handshake(
        agent, make_collector, certs, telemetry):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs.server, certs.server_key)
    context.load_verify_locations(certs.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    collector = make_collector(ssl_context=context)
    expect_trouble(agent, collector, telemetry(RECORDS), "demands a client certificate",
                   tls={"ca": str(certs.ca)})


@pytest.mark.parametrize("server, ca, words", [
    ("elsewhere", "ca", 'the server\'s certificate is for another host name than "localhost"'),
    ("server", "other_ca", "the server's certificate is from an unknown authority"),
    ("server", None, "the server's certificate is from an unknown authority"),
    ("expired", "ca", "the server's certificate has expired"),
], ids=["wrong_host", "unknown_authority", "system_authorities", "expired"])
def test_a_server_that_cannot_prove_itself_gets_nothing(
        agent, make_nginx, certs, telemetry, server, ca, words):
    if ca is None and not Path("/etc/ssl/certs/ca-certificates.crt").exists():
        pytest.skip("this system has no list of authorities")
    nginx = make_nginx(cert=getattr(certs, server), key=getattr(certs, server + "_key"))
    tls = {"ca": str(getattr(certs, ca))} if ca else {}
    expect_trouble(agent, nginx, telemetry(RECORDS), words, tls=tls)
    assert nginx.requests == []


def test_the_expected_name_can_be_set(agent, make_nginx, certs, telemetry):
    nginx = make_nginx(cert=certs.elsewhere, key=certs.elsewhere_key)
    tls = {"ca": str(certs.ca), "serverName": "elsewhere.example"}
    assert configure(agent, nginx, telemetry(RECORDS), tls=tls).run() == 0
    assert {r["status"] for r in nginx.requests} == {"204"}


def test_verification_can_be_turned_off_with_a_warning(agent, make_nginx, certs, telemetry):
    nginx = make_nginx(cert=certs.expired, key=certs.expired_key)
    assert configure(agent, nginx, telemetry(RECORDS), tls={"verify": False}).run() == 0
    assert {r["status"] for r in nginx.requests} == {"204"}
    assert len(agent.log_lines("warn .*verify is false")) == 1


def test_https_to_a_plain_server_and_http_to_a_tls_server_are_told_apart(
        agent, make_agent, nginx, make_nginx, certs, telemetry):
    expect_trouble(agent, nginx, telemetry(RECORDS), "what the server sent is not TLS",
                   url=nginx.url.replace("http:", "https:"), tls={"verify": False})
    secure = make_nginx(cert=certs.server, key=certs.server_key)
    expect_trouble(make_agent("other"), secure, telemetry(RECORDS), "https:// is needed",
                   url=secure.url.replace("https:", "http:"))


def test_a_certificate_file_that_is_missing_stops_the_start(agent, nginx, telemetry):
    configure(agent, nginx, telemetry(RECORDS), url="https://localhost:1/",
              tls={"ca": "/nonexistent/ca.pem"})
    assert agent.run() == 2
    assert "tls.ca: open /nonexistent/ca.pem: no such file or directory" in agent.log


def test_nginx_that_restarts_gets_the_rest(agent, make_nginx, telemetry):
    nginx = make_nginx()
    nginx.stop()
    configure(agent, nginx, telemetry(RECORDS)).start()
    agent.wait_log(" warn .*connection refused")
    nginx.start()
    assert agent.wait() == 0
    assert [r["status"] for r in nginx.requests] == ["204"] * 5


# --- requests ------------------------------------------------------------------------------------


def test_a_request_carries_what_the_options_say(agent, collector, telemetry):
    sink = {"method": "PUT", "headers": {"X-Site": "north 4", "Content-Type": "text/x-telemetry"},
            "auth": {"user": "gw-042", "password": "pass:wörd"}}
    assert configure(agent, collector, telemetry(RECORDS), **sink).run() == 0
    request = collector.requests[0]
    assert (request.method, request.path) == ("PUT", "/ingest")
    assert request.headers["x-site"] == "north 4"
    assert request.headers["content-type"] == "text/x-telemetry"
    assert request.headers["host"] == f"127.0.0.1:{collector.port}"
    assert request.headers["user-agent"].startswith("leat/")
    kind, credentials = request.headers["authorization"].split()
    assert (kind, base64.b64decode(credentials).decode()) == ("Basic", "gw-042:pass:wörd")


def test_a_token_goes_out_and_is_never_logged(agent, collector, telemetry):
    token = "s3cret-t0ken"
    collector.script(Answer(401, body=f"bad token {token}".encode()))
    assert configure(agent, collector, telemetry(RECORDS), auth={"token": token}).run() == 0
    assert collector.requests[0].headers["authorization"] == f"Bearer {token}"
    assert agent.log_lines('401 Unauthorized .check "auth".: bad token')
    assert token not in agent.log
    expect_each_once(seqs(collector), RECORDS)


def test_gzip_bodies_are_small_and_whole(agent, collector, telemetry):
    path = telemetry(20_000)
    configure(agent, collector, path, records=20_000, compression="gzip", compressionLevel=1)
    assert agent.run() == 0
    expect_each_once(seqs(collector), 20_000)
    assert sum(len(r.raw) for r in collector.requests) < path.stat().st_size / 3


def test_https_carries_large_bodies(agent, make_collector, certs, telemetry):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs.server, certs.server_key)
    collector = make_collector(ssl_context=context)
    configure(agent, collector, telemetry(20_000), records=20_000, tls={"ca": str(certs.ca)})
    assert agent.run() == 0
    expect_each_once(seqs(collector), 20_000)


@pytest.mark.parametrize("sink, words", [
    ({"url": "ftp://c.example"}, 'sink.url: it must start with "http://" or "https://"'),
    ({"url": "http://me:s3cret@c.example/"}, 'sink.url: it must not hold a user or a password'),
    ({"headers": {"Content-Length": "3"}}, "sink.headers.Content-Length: cannot be set"),
    ({"headers": {"X-A": "1\r\nX-B: 2"}}, "sink.headers.X-A: its value has a line break"),
    ({"auth": {"user": "a", "token": "b"}}, 'sink.auth: "token" cannot be used together'),
    ({"tls": {"verify": False}}, "sink.tls: has no effect on an http:// url"),
])
def test_options_that_cannot_work_are_named(agent, collector, telemetry, sink, words):
    configure(agent, collector, telemetry(RECORDS), **sink)
    done = agent.command("check", "-c", agent.config_path)
    assert done.returncode == 2
    assert words in done.stderr + done.stdout
    assert "s3cret" not in done.stderr + done.stdout


# --- answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 207])
def test_each_2xx_is_a_delivery(agent, collector, telemetry, status):
    collector.default = Answer(status)
    assert configure(agent, collector, telemetry(RECORDS)).run() == 0
    expect_each_once(seqs(collector), RECORDS)


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 405, 407, 408, 425, 429, 500, 503, 599])
def test_a_batch_that_cannot_be_taken_now_is_sent_again(agent, collector, telemetry, status):
    collector.script(Answer(status, {"Location": "/elsewhere"}))
    assert configure(agent, collector, telemetry(RECORDS), inFlight=1).run() == 0
    first, second = collector.requests[:2]
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    expect_each_once(seqs(collector), RECORDS)
    assert agent.log_lines(rf" warn .*/ingest: {status}")
    assert agent.dead_letters() == []


@pytest.mark.parametrize("status", [400, 409, 415, 422])
def test_the_record_that_is_refused_becomes_a_dead_letter(agent, collector, telemetry, status):
    bad = b'"seq":123,'
    collector.decide = lambda r: Answer(status, body=b"seq 123?") if bad in r.body else Answer()
    assert configure(agent, collector, telemetry(RECORDS)).run() == 0
    assert sorted(seqs(collector)) == [n for n in range(RECORDS) if n != 123]
    letters = agent.dead_letters()
    assert len(letters) == 1
    assert f"{status}" in json.dumps(letters[0]) and "seq 123?" in json.dumps(letters[0])


def test_a_body_at_which_the_server_breaks_off_is_found_and_the_rest_arrives(agent, collector, telemetry):
    """It was taken for an outage, for ever: everything behind it waited."""
    bad = b'"seq":123,'
    collector.decide = lambda r: Answer.close() if bad in r.body else Answer()
    assert configure(agent, collector, telemetry(RECORDS)).run() == 0
    assert sorted(seqs(collector)) == [n for n in range(RECORDS) if n != 123]
    letters = agent.dead_letters()
    assert len(letters) == 1
    assert "closed without an answer: at this record, 3 times" in letters[0]["reason"]


def test_a_retry_after_that_is_a_date_is_waited_for(agent, collector, telemetry):
    # A date has no fractions of a second, so two seconds may turn out as a little over one.
    collector.decide = lambda request: Answer() if collector.requests else Answer(
        503, {"Retry-After": email.utils.formatdate(time.time() + 2, usegmt=True)})
    assert configure(agent, collector, telemetry(RECORDS), inFlight=1).run() == 0
    first, second = collector.requests[:2]
    assert 0.95 <= second.time - first.time
    expect_each_once(seqs(collector), RECORDS)


def test_a_body_that_never_ends_does_not_hold_a_delivery_up(agent, collector, telemetry):
    collector.script(Answer(200, body=b"x" * (8 << 20)))
    assert configure(agent, collector, telemetry(RECORDS)).run() == 0
    expect_each_once(seqs(collector), RECORDS)


def test_the_example_runs(agent, collector, telemetry):
    """config/examples/file-to-http.json, with another file and another address."""
    config = json.loads((ROOT / "config/examples/file-to-http.json").read_text())
    config["agent"]["dataDir"] = str(agent.data_dir)
    source, sink = config["pipelines"][0]["source"], config["pipelines"][0]["sink"]
    source["path"], sink["url"] = [str(telemetry(RECORDS))], collector.url
    agent.write_config(config)
    agent.start()
    states = [json.loads(line)["state"] for line in telemetry(RECORDS).read_bytes().splitlines()]
    expected = sum(state != "idle" for state in states)
    collector.wait_records(expected)
    agent.terminate()
    assert agent.wait() == 0
    assert len(collector.records()) == expected
    assert collector.requests[0].headers["x-site"] == "north"
    assert collector.requests[0].headers["content-encoding"] == "gzip"
