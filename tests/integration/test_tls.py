"""Versions and ciphers of TLS, sessions that are gone on with, certificates that are renewed: with real servers."""

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.pipelines import file_source, http_sink, pipeline, quick_retry
from harness.telemetry import expect_each_once

RECORDS = 100
VERSIONS = ["TLSv1.2", "TLSv1.3"]


def identity(certs):
    return {"ca": str(certs.ca), "cert": str(certs.client), "key": str(certs.client_key)}


def configure(agent, path, sink):
    agent.configure(pipeline(file_source(path), sink,
                             delivery=quick_retry(initial="50ms", maximum="200ms")))
    return agent


def expect_trouble(agent, path, sink, words):
    configure(agent, path, sink).start()
    agent.wait_log(f" warn .*{words}")
    agent.kill()
    assert agent.dead_letters() == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_web_server_of_one_version_only_and_each_connection_goes_on_with_the_last_session(
        agent, make_nginx, certs, telemetry, version):
    nginx = make_nginx(cert=certs.server, key=certs.server_key, client_ca=certs.ca,
                       extra=f"ssl_protocols {version}; keepalive_timeout 0;")
    sink = http_sink(nginx, records=RECORDS // 5, inFlight=1, tls=identity(certs))
    assert configure(agent, telemetry(RECORDS), sink).run() == 0
    assert [(r["status"], r["client"], r["tls"]) for r in nginx.requests] == 5 * [
        ("204", "SUCCESS", version)]
    assert [r["reused"] for r in nginx.requests] == [".", "r", "r", "r", "r"]


def has_aes_instructions(leat):
    """Of the processor, and such that the binary may know them: not one for 32-bit ARM."""
    words = set(Path("/proc/cpuinfo").read_text().split())
    is_32_bit_arm = leat.read_bytes()[18] == 40  # e_machine
    return not is_32_bit_arm and ({"aes", "pclmulqdq"} <= words or {"aes", "pmull"} <= words)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_cipher_that_is_fastest_on_this_processor_is_offered_first(
        agent, leat, make_nginx, certs, telemetry, version):
    nginx = make_nginx(cert=certs.server, key=certs.server_key, extra=f"ssl_protocols {version};")
    sink = http_sink(nginx, tls={"ca": str(certs.ca)})
    assert configure(agent, telemetry(RECORDS), sink).run() == 0
    fast = ("AES_128_GCM", "AES128-GCM") if has_aes_instructions(leat) else ("CHACHA20",)
    assert all(any(name in r["suite"] for name in fast) for r in nginx.requests), nginx.requests


@pytest.mark.parametrize("suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                   "TLS_CHACHA20_POLY1305_SHA256"])
def test_openssl_reads_full_tls_records_of_each_cipher(
        agent, collector, make_nginx, certs, telemetry, suite):
    nginx = make_nginx(cert=certs.server, key=certs.server_key, upstream=collector.url,
                       extra=f"ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites {suite};")
    sink = http_sink(nginx, records=5 * RECORDS, tls={"ca": str(certs.ca)})
    assert configure(agent, telemetry(5 * RECORDS), sink).run() == 0
    assert {r["suite"] for r in nginx.requests} == {suite}
    expect_each_once([record["seq"] for record in collector.records()], 5 * RECORDS)
    assert len(collector.requests[0].raw) > 2**15


def test_a_broker_that_speaks_tls_1_3_only(agent, make_mosquitto, certs, telemetry, spawn):
    broker = make_mosquitto(cert=certs.server, key=certs.server_key, client_ca=certs.ca,
                            tls_version="tlsv1.3")
    sink = {"type": "mqtt", "url": broker.url, "topic": "plant/1",
            "tls": identity(certs)}
    subscriber = spawn(
        ["mosquitto_sub", "-h", "localhost", "-p", str(broker.port), "--cafile", certs.ca, "--cert",
         certs.client, "--key", certs.client_key, "-t", "plant/1", "-q", "1", "-C", str(RECORDS), "-W", "60"],
        stdout=subprocess.PIPE)
    broker.wait_log("Sending SUBACK")
    assert configure(agent, telemetry(RECORDS), sink).run() == 0
    assert len(subscriber.communicate(timeout=60)[0].splitlines()) == RECORDS


# In TLS 1.3 these two come after the handshake, when leat already writes.


def test_a_broker_of_tls_1_3_that_demands_a_client_certificate_is_understood(
        agent, make_mosquitto, certs, telemetry):
    broker = make_mosquitto(cert=certs.server, key=certs.server_key, client_ca=certs.ca,
                            tls_version="tlsv1.3")
    sink = {"type": "mqtt", "url": broker.url, "topic": "plant/1",
            "tls": {"ca": str(certs.ca)}}
    expect_trouble(agent, telemetry(RECORDS), sink, "TLS: the server demands a client certificate")


def test_a_broker_of_tls_1_3_that_refuses_the_client_certificate_is_understood(
        agent, make_mosquitto, certs, telemetry):
    broker = make_mosquitto(cert=certs.server, key=certs.server_key, client_ca=certs.other_ca,
                            tls_version="tlsv1.3")
    sink = {"type": "mqtt", "url": broker.url, "topic": "plant/1",
            "tls": identity(certs)}
    expect_trouble(agent, telemetry(RECORDS), sink, "TLS: the server refused the client certificate")


def test_a_server_with_an_ed25519_certificate_is_told(agent, make_nginx, certs, telemetry):
    nginx = make_nginx(cert=certs.ed25519, key=certs.ed25519_key)
    expect_trouble(agent, telemetry(RECORDS), http_sink(nginx, tls={"verify": False}),
                   "Ed25519 is not supported")


def test_a_renewed_client_certificate_is_shown_without_a_restart(
        agent, make_mosquitto, certs, telemetry, tmp_path):
    broker = make_mosquitto(cert=certs.server, key=certs.server_key, client_ca=certs.ca)
    mine = tmp_path / "mine.pem", tmp_path / "mine.key"
    # A certificate that has expired, as they do.
    shutil.copy(certs.expired, mine[0])
    shutil.copy(certs.expired_key, mine[1])
    sink = {"type": "mqtt", "url": broker.url, "topic": "plant/1",
            "tls": {"ca": str(certs.ca), "cert": str(mine[0]), "key": str(mine[1])}}
    configure(agent, telemetry(RECORDS), sink).start()
    agent.wait_log(" warn .*TLS: the server refused the client certificate")
    shutil.copy(certs.client, mine[0])
    shutil.copy(certs.client_key, mine[1])
    assert agent.wait() == 0
    assert agent.log_lines("certificates have changed and were read again")
