"""Secrets in a configuration that are sealed to the agent: by leat, and by another implementation of JWE."""

import base64
import hashlib
import json
import os
import stat
import struct

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness.desk import Desk
from harness.mosquitto import Mosquitto
from harness.output import conforming
from harness.pipelines import file_source, http_sink, pipeline
from harness.waiting import wait_for

SECRET = "correct-horse/battery+staple"
KEYS = {"fleet": "f" * 32}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def seal(public_pem, secret):
    """As RFC 7516 and RFC 7518 say (ECDH-ES, A256GCM), of an OpenSSL."""
    to = serialization.load_pem_public_key(public_pem.encode())
    once = ec.generate_private_key(ec.SECP256R1())
    point = once.public_key().public_numbers()
    header = base64url(json.dumps({
        "alg": "ECDH-ES", "enc": "A256GCM", "kid": "gw", "apv": base64url(b"gw-17"),
        "epk": {"kty": "EC", "crv": "P-256", "x": base64url(point.x.to_bytes(32, "big")),
                "y": base64url(point.y.to_bytes(32, "big"))}}).encode())
    parts = [b"A256GCM", b"", b"gw-17"]
    other_info = b"".join(struct.pack(">I", len(part)) + part for part in parts) + struct.pack(">I", 256)
    key = hashlib.sha256(struct.pack(">I", 1) + once.exchange(ec.ECDH(), to) + other_info).digest()
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, secret.encode(), header.encode())
    return ("${sealed:" + f"{header}..{base64url(nonce)}.{base64url(sealed[:-16])}."
            f"{base64url(sealed[-16:])}" + "}")


@pytest.fixture
def keygen(agent):
    """keygen(): the public key of the agent."""
    def show():
        done = agent.command("keygen", "--agent", "--data-dir", agent.data_dir)
        if "unknown command" in done.stderr:
            pytest.skip("agent.control is not in this build")
        assert done.returncode == 0, done.stderr
        return done.stdout
    agent.data_dir.mkdir(exist_ok=True)
    return show


@pytest.fixture
def sealing(agent, collector, telemetry):
    """sealing(text): a pipeline whose sink sends that as its token."""
    def make(token):
        return pipeline(file_source(telemetry(3)),
                        http_sink(collector, auth={"token": token}))
    return make


def files_with(folder, text):
    return [path.name for path in folder.rglob("*")
            if path.is_file() and text.encode() in path.read_bytes()]


def errors_in(desk, config):
    problems = desk.ask("config.check", {"config": config})["error"]["problems"]
    return [one for one in problems if one["severity"] == "error"]


def test_the_key_is_made_once_for_the_owner_alone(agent, keygen):
    public = keygen()
    key = agent.data_dir / "sealing.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert keygen() == public
    assert public.startswith("-----BEGIN PUBLIC KEY-----") and "PRIVATE" not in public


def test_what_leat_seals_is_opened_and_shown_nowhere(agent, collector, keygen, sealing, tmp_path):
    public = tmp_path / "gw.pub"
    public.write_text(keygen())
    sealed = agent.command("seal", "--key", public, stdin="s3cret-of-the-sink\n")
    assert sealed.returncode == 0, sealed.stderr
    agent.configure(sealing(sealed.stdout.strip()))
    agent.start()
    collector.wait_records(3)
    assert collector.requests[0].headers["authorization"] == "Bearer s3cret-of-the-sink"
    shown = agent.command("config", "-c", agent.config_path)
    assert json.loads(shown.stdout)["pipelines"][0]["sink"]["auth"]["token"] == "*" * 16
    assert agent.wait() == 0
    assert "has no \"tests\"" in agent.command("test", "-c", agent.config_path).stderr, "it is read"
    assert "s3cret" not in agent.log + shown.stdout
    assert not files_with(agent.folder, "s3cret-of-the-sink")


def test_what_another_library_seals_comes_from_afar(agent, collector, keygen, sealing, tmp_path):
    broker = Mosquitto(tmp_path)
    control = {"url": broker.url, "keys": [{"id": "fleet", "secret": KEYS["fleet"], "role": "configure"}]}
    keygen()
    agent.configure(control=control)
    try:
        with Desk(broker, KEYS) as desk:
            agent.start()
            public = wait_for(lambda: (desk.status() or {}).get("sealTo"), what="the key in its status")
            assert public == keygen()
            shown = agent.command("status", "--json", "--data-dir", agent.data_dir).stdout
            assert conforming(shown, "status")["control"]["sealTo"] == public
            config = json.loads(agent.config_path.read_text())
            config["pipelines"] = [sealing(seal(public, SECRET))]
            answer = desk.ask("config.set", {"config": config}, final=False)
            assert answer["state"] == "running", answer
            collector.wait_records(3)
            assert collector.requests[0].headers["authorization"] == f"Bearer {SECRET}"
            assert not any(SECRET in text for text in desk.messages("test/reply"))
            got = desk.ask("config.get")["result"]
            assert got["pipelines"][0]["sink"]["auth"]["token"] == "*" * 16

            stranger = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
            config["pipelines"] = [sealing(seal(stranger, SECRET))]
            problem, = errors_in(desk, config)
            assert problem["path"] == "pipelines[0].sink.auth.token"
            assert "sealed to another key" in problem["message"]
            config["pipelines"] = [sealing("x")]
            config["pipelines"][0]["sink"]["url"] += "/" + seal(public, SECRET)
            problem, = errors_in(desk, config)
            assert problem["path"] == "pipelines[0].sink.url"
            assert SECRET not in json.dumps(problem)
            agent.terminate()
            agent.wait()
    finally:
        broker.stop()
    assert SECRET not in agent.log
    assert not files_with(agent.folder, SECRET)
