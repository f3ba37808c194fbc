"""Keys and signed commands at the operator's desk, checked by another implementation of JWT."""


import stat
import time

import jwt
import pytest


@pytest.fixture
def keygen(agent):
    """keygen(algorithm): a key in its file, and what verifies what it signs."""
    def make(algorithm, name="fleet.key"):
        path = agent.folder / name
        done = agent.command("keygen", path, "--algorithm", algorithm)
        assert done.returncode == 0, done.stderr
        secret = path.read_text().strip()
        assert secret not in done.stdout + done.stderr
        return path, done.stdout if algorithm == "ES256" else secret
    return make


def sign(agent, *arguments, **how):
    done = agent.command("sign", *arguments, **how)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("algorithm", ["ES256", "HS256"])
def test_a_signed_command_is_a_json_web_token(agent, keygen, algorithm):
    key, verifier = keygen(algorithm)
    before = time.time()
    text = sign(agent, "pipeline.pause", "--key", key, "--to", "gw-17", "--to", "site-a", "--id", "c-42",
                "--arguments", '{"pipeline": "press-line"}', "--valid-for", "10m").stdout
    assert text == text.strip(), "as it is published"
    assert jwt.get_unverified_header(text) == {"alg": algorithm, "kid": "fleet", "typ": "JWT"} or \
        jwt.get_unverified_header(text) == {"alg": algorithm, "kid": "fleet"}
    claims = jwt.decode(text, verifier, algorithms=[algorithm], audience="site-a")
    assert claims["aud"] == ["gw-17", "site-a"] and claims["jti"] == "c-42"
    assert claims["command"] == "pipeline.pause" and claims["arguments"] == {"pipeline": "press-line"}
    assert before - 1 <= claims["exp"] - 600 <= time.time()
    assert before * 1e6 - 1 <= claims["counter"] <= time.time() * 1e6


def test_a_key_is_for_its_owner_and_never_written_over(agent, keygen):
    key, _ = keygen("ES256")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    text = key.read_text()
    again = agent.command("keygen", key)
    assert again.returncode != 0 and "exists" in again.stderr and again.stdout == ""
    assert key.read_text() == text


def test_counters_go_up_from_command_to_command(agent, keygen):
    key, verifier = keygen("HS256")
    counters = [jwt.decode(sign(agent, "ping", "--key", key, "--to", "gw-17").stdout, verifier,
                           algorithms=["HS256"], audience="gw-17")["counter"] for _ in range(3)]
    assert counters == sorted(set(counters))


def test_a_configuration_is_an_argument(agent, keygen):
    key, verifier = keygen("HS256", "ops.key")
    text = '{"pipelines": []}  // with a comment\n'
    (agent.folder / "new.json").write_text(text)
    done = sign(agent, "config.set", "--key", key, "--to", "gw-17", "--config", agent.folder / "new.json")
    claims = jwt.decode(done.stdout, verifier, algorithms=["HS256"], audience="gw-17")
    assert claims["arguments"] == {"config": text}
    assert claims["jti"] in done.stderr, "the answer has that id"


def test_arguments_come_from_a_file_or_standard_input(agent, keygen):
    key, verifier = keygen("HS256")
    (agent.folder / "arguments.json").write_text('{"pipeline": "a"}\n')
    for where in (agent.folder / "arguments.json", "-"):
        text = sign(agent, "pipeline.kick", "--key", key, "--to", "g", "--arguments", where,
                    stdin='{"pipeline": "a"}').stdout
        assert jwt.decode(text, verifier, algorithms=["HS256"], audience="g")["arguments"] == {"pipeline": "a"}


@pytest.mark.parametrize("changes, complaint", [
    (["--arguments", "[1]"], "open [1]"),
    (["--arguments", '{"a":1} x'], "is no JSON object"),
    (["--id", "a b"], "1 to 64 of the characters"),
    (["--kid", "a/b"], "--kid must be"),
    (["--valid-for", "0s"], "--valid-for"),
])
def test_what_no_agent_would_take_is_not_signed(agent, keygen, changes, complaint):
    key, _ = keygen("HS256")
    done = agent.command("sign", "ping", "--key", key, "--to", "gw-17", *changes)
    assert done.returncode == 2 and done.stdout == "", done
    assert complaint in done.stderr


def test_a_public_key_or_a_short_secret_signs_nothing(agent, keygen):
    _, public = keygen("ES256")
    for text, complaint in ((public, "can only verify"), ("hunter2\n", "at least 32")):
        path = agent.folder / "wrong.key"
        path.write_text(text)
        done = agent.command("sign", "ping", "--key", path, "--to", "gw-17")
        assert done.returncode == 2 and done.stdout == "", done
        assert complaint in done.stderr and "hunter2" not in done.stderr


def test_a_mistyped_command_is_told(agent, keygen):
    key, _ = keygen("HS256")
    done = sign(agent, "pipeline.paus", "--key", key, "--to", "gw-17")
    assert 'did you mean "pipeline.pause"?' in done.stderr
