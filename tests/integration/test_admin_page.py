"""What agent.admin gives a browser, without one: the page as it is sent, and what it asks for.
(In a browser: tests/page.)"""

import base64
import gzip
import hashlib
import http.client
import json
import re

import pytest

from harness.output import conforming
from harness.pipelines import file_source, http_sink, pipeline, where
from harness.ports import free_port
from harness.waiting import wait_for

TOKEN = "0123456789abcdef"


class Client:
    """One connection to the admin address."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def ask(self, path="/", method="GET", **headers):
        self.connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            self.connection.putheader(name.replace("_", "-"), value)
        self.connection.endheaders()
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def ask_api(self, path):
        status, _, body = self.ask(path, Authorization=f"Bearer {TOKEN}")
        return status, body.decode()


@pytest.fixture
def look(agent, collector, telemetry):
    """look(**admin): a Client of a running agent, whose one pipeline has delivered ten records."""
    clients = []

    def make(**admin):
        port = free_port()
        agent.configure(pipeline(file_source(telemetry(10), follow=True), http_sink(collector), where("temp > -300")),
                        admin={"listen": f"127.0.0.1:{port}", **admin})
        if "is not in this build" in agent.command("check", "-c", str(agent.config_path)).stderr:
            pytest.skip("agent.admin is not in this build")
        agent.start()
        agent.wait_log("admin: listening on")
        collector.wait_records(10)
        clients.append(Client(port))
        return clients[-1]

    yield make
    for client in clients:
        client.connection.close()


def test_the_page_holds_no_data_and_lets_nothing_in(look):
    status, headers, packed = look(tokens=[TOKEN]).ask(Accept_Encoding="gzip, br")
    assert (status, headers["Content-Encoding"]) == (200, "gzip")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert len(packed) <= 40 * 1024
    page = gzip.decompress(packed).decode()
    assert TOKEN not in page

    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    for element, source in (("script", "script-src"), ("style", "style-src")):
        inside = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert len(inside) == 1 and policy[source] == f"'sha256-{digest}'"
    assert policy["connect-src"] == "'self'"
    assert all(policy[one] == "'none'" for one in ("base-uri", "form-action", "frame-ancestors"))

    assert re.findall(r"https?://[^'\"]+", page) == ["http://www.w3.org/2000/svg"], "no foreign hosts"
    assert not re.search(r"<[^>]* (on\w+|style)=", page), "no handlers or styles in elements"
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", page)


def test_a_browser_keeps_the_page_as_long_as_it_is_the_same(look):
    client = look()
    _, headers, _ = client.ask()
    assert headers["Cache-Control"] == "no-cache"
    status, again, body = client.ask(If_None_Match=headers["ETag"])
    assert (status, again["ETag"], body) == (304, headers["ETag"], b"")
    assert "Content-Length" not in again
    assert client.ask(If_None_Match='"other"')[0] == 200, "on the same connection"
    status, _, body = client.ask(method="HEAD")
    assert (status, body) == (200, b"")
    assert client.ask(Accept_Encoding="identity")[0] == 406
    assert client.ask("/metrics")[1]["Cache-Control"] == "no-store"


def test_without_a_token_there_is_the_page_that_asks_for_it_and_no_more(look):
    client = look(tokens=[TOKEN])
    assert client.ask()[0] == 200
    for method, path in (("POST", "/"), ("GET", "/api/v1/config"), ("GET", "/api/v1/pipelines"),
                         ("GET", "/api/v1/stats"), ("GET", "/index.html")):
        assert client.ask(path, method)[0] == 401, path


def test_where_there_are_no_tokens_configuration_and_records_are_not_shown(look):
    client = look()
    assert client.ask("/api/v1/stats")[0] == 200
    assert client.ask("/api/v1/config")[0] == 403
    assert client.ask("/api/v1/pipelines/p/tap")[0] == 403
    assert client.ask(Host="evil.example")[0] == 403


def test_it_says_what_runs_what_was_counted_and_how_it_is_configured(agent, look):
    client = look(tokens=[TOKEN])
    chains = conforming(client.ask_api("/api/v1/pipelines")[1], "pipelines")["pipelines"]
    assert [(one["name"], one["source"], one["transforms"], one["sink"]) for one in chains] == [
        ("p", "file", ["filter"], "http")]
    assert [chains[0]["stages"][i] for i in (0, -1)] == ["file", "http"]

    def delivered():
        stats = conforming(client.ask_api("/api/v1/stats")[1], "stats")["pipelines"][0]
        return stats["records"]["delivered"] == stats["deliveryLatency"]["count"] == 10
    wait_for(delivered)

    status, shown = client.ask_api("/api/v1/config")
    assert status == 200
    assert shown == agent.command("config", "-c", str(agent.config_path)).stdout
    assert TOKEN not in shown and json.loads(shown)["agent"]["admin"]["tokens"] == ["*" * 16]
