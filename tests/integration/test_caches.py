"""What one pipeline puts in a cache, and others look up there."""

import http.client
import json
import signal

import pytest

from harness.pipelines import file_source, pipeline
from harness.ports import free_port
from harness.waiting import wait_for


def named(name, *args, **rest):
    return {**pipeline(*args, **rest), "name": name}


def to_cache(name="c", key="dev", **options):
    return {"type": "cache", "name": name, "key": key, **options}


def in_cache(name="c", key="dev", fields=None, **options):
    return {"type": "lookup", "cache": name, "key": key, "fields": fields or {"site": "site"}, **options}


def to_file(path):
    return {"type": "file", "path": str(path).removesuffix(".part"), "format": "ndjson", "batch": {"linger": "20ms"}}


def append(path, *records):
    with open(path, "a", encoding="utf8") as file:
        file.write("".join(json.dumps(record) + "\n" for record in records))


class Plant:
    """Two growing files: what goes into the cache, and what is looked up there; and what comes out."""

    def __init__(self, agent):
        self.agent = agent
        self.sites = agent.folder / "sites.jsonl"
        self.readings = agent.folder / "readings.jsonl"
        self.out = agent.folder / "out.jsonl.part"  # its name while it is written
        self.sites.touch()
        self.readings.touch()
        self.reloads = 0
        self.number = 0

    def configure(self, sink=None, lookup=None, **agent_options):
        self.agent.configure(
            named("sites", file_source(self.sites, follow=True), sink or to_cache(ttl="1h")),
            named("readings", file_source(self.readings, follow=True), to_file(self.out),
                  lookup or in_cache()), **agent_options)

    def reload(self, **changed):
        self.configure(**changed)
        self.agent.send(signal.SIGHUP)
        self.reloads += 1
        wait_for(lambda: len(self.agent.log_lines("configuration taken over")) == self.reloads)

    def cache(self):
        caches = self.agent.status().get("caches", [])
        return caches[0] if caches else None

    def put(self, *records):
        """Returns when they are in the cache; not behind a reload, which may count anew."""
        before = self.delivered("sites")
        append(self.sites, *records)
        wait_for(lambda: self.delivered("sites") >= before + len(records))

    def delivered(self, name):
        return next(one["records"]["delivered"] for one in self.agent.status()["pipelines"] if one["name"] == name)

    def look_up(self, dev):
        """What a reading of it becomes; null where there is no site."""
        self.number += 1
        append(self.readings, {"dev": dev, "n": self.number})
        return self.came(self.number)["site"]

    def becomes(self, dev, site):
        self.agent.wait_for(lambda: self.look_up(dev) == site, what=f"{dev} at {site}")

    def came(self, number):
        def found():
            lines = self.out.read_text().splitlines() if self.out.exists() else []
            return next((one for one in map(json.loads, lines) if one["n"] == number), None)
        return self.agent.wait_for(found, what=f"the reading {number}")


@pytest.fixture
def plant(agent):
    schema = json.loads(agent.command("help", "--schema").stdout)
    if "cache" not in schema["$defs"]["sink"]["properties"]["type"]["enum"]:
        pytest.skip("left out of this build")
    return Plant(agent)


def test_what_one_pipeline_puts_in_is_added_to_the_records_of_another(agent, plant):
    plant.configure(workers=3)
    agent.start()
    assert plant.look_up("a") is None
    plant.put({"dev": "a", "site": "North"}, {"dev": "b", "site": "South"})
    assert plant.look_up("a") == "North"
    assert plant.look_up("b") == "South"
    assert plant.look_up("c") is None
    plant.put({"dev": "a", "site": "East"})
    assert plant.look_up("a") == "East"
    cache = plant.cache()
    assert cache["bytes"] > 100
    assert {name: cache[name] for name in cache if name != "bytes"} == {
        "name": "c", "records": 2, "hits": 3, "misses": 2, "expired": 0, "evicted": 0}
    said = agent.command("status", "-c", str(agent.config_path)).stdout
    assert "cache c: 2 records (" in said and "), 3 hits, 2 misses, 0 expired, 0 evicted" in said
    assert {one["loop"] for one in agent.status()["pipelines"]} == {0}


def test_records_expire_and_the_oldest_go_for_more_than_there_may_be(agent, plant):
    plant.configure(sink=to_cache(ttl="1h", maxRecords=2))
    agent.start()
    plant.put(*[{"dev": dev, "site": f"of {dev}"} for dev in "abc"])
    assert [plant.look_up(dev) for dev in "abc"] == [None, "of b", "of c"]
    assert plant.cache()["evicted"] == 1
    plant.reload(sink=to_cache(ttl="1ms", maxRecords=2))
    append(plant.sites, {"dev": "d", "site": "of d"})
    wait_for(lambda: plant.cache()["expired"] == 3)
    assert plant.look_up("d") is None
    assert plant.cache()["records"] == 0


def test_a_cache_outlives_a_reload_and_its_pipelines_but_not_the_agent(agent, plant):
    plant.configure()
    agent.start()
    plant.put({"dev": "a", "site": "North"})
    assert plant.look_up("a") == "North"
    plant.reload(sink=to_cache(ttl="2h"), lookup=in_cache(onMissing="keep", fields={"site": "site", "x": "y"}))
    assert plant.look_up("a") == "North"
    for word in ("unmount", "mount"):
        agent.command(word, "sites", "-c", str(agent.config_path))
        assert plant.look_up("a") == "North"
    plant.reload(sink=to_cache(key="site"))
    append(plant.sites, {"dev": "b", "site": "South"})
    plant.becomes("South", "South")
    assert plant.look_up("a") is None
    agent.terminate()
    assert agent.wait() == 0, agent.log
    agent.start()
    assert plant.look_up("South") is None
    assert plant.cache()["records"] == 0


def test_records_without_a_key_or_too_large_are_dead_letters_and_the_others_are_there(agent, plant):
    plant.configure(sink=to_cache(maxBytes="4KiB"))
    agent.start()
    append(plant.sites, {"dev": "a", "site": "North"}, {"site": "nowhere"}, {"dev": None},
           {"dev": "b", "site": "x" * 5000}, {"dev": "c", "site": "South"})
    agent.wait_for(lambda: len(agent.dead_letters("sites")) == 3)
    wait_for(lambda: plant.delivered("sites") == 2)
    assert [one["code"] for one in agent.dead_letters("sites")] == ["no-key", "no-key", "too-large"]
    assert [plant.look_up(dev) for dev in "abc"] == ["North", None, "South"]


def test_many_keys_stay_within_the_memory_of_the_agent(agent, plant):
    text = "x" * 200
    with open(plant.sites, "w", encoding="utf8") as file:
        for n in range(100_000):
            file.write(json.dumps({"dev": f"d{n}", "site": text}) + "\n")
    plant.configure(sink=to_cache(ttl="1h", maxRecords=1_000_000, maxBytes="1GiB"), memory="4MiB")
    agent.start()
    wait_for(lambda: agent.running() and plant.delivered("sites") == 100_000, 60)
    cache = plant.cache()
    assert 0 < cache["bytes"] <= 1 << 20, cache
    assert cache["evicted"] == 100_000 - cache["records"]
    assert plant.look_up("d99999") == text
    assert plant.look_up("d0") is None


def test_metrics_count_each_cache(agent, plant):
    port = free_port()
    plant.configure(admin={"listen": f"127.0.0.1:{port}"})
    agent.start()
    assert plant.look_up("a") is None
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics")
    assert b'\nleat_cache_misses_total{cache="c"} 1\n' in connection.getresponse().read()
    connection.close()


def test_check_says_what_a_cache_lacks_and_explain_who_uses_it(agent, plant):
    plant.configure(lookup=in_cache("d"))
    checked = agent.command("check", "-c", str(agent.config_path))
    assert checked.returncode == 2
    assert 'pipelines[1].transforms[0].cache: must be a cache that the sink of a pipeline fills, ' \
        'found "d"' in checked.stderr + checked.stdout
    plant.configure()
    said = agent.command("explain", "-c", str(agent.config_path)).stdout
    assert "cache c\n  from      sites\n  to        readings: the last record of each key" in said


def test_in_try_and_tests_there_is_nothing_in_a_cache(agent, plant):
    plant.configure()
    tried = agent.command("try", "-c", str(agent.config_path), "--pipeline", "readings",
                          stdin='{"dev": "a", "n": 1}\n')
    assert tried.returncode == 0, tried.stderr
    assert '"site":null' in tried.stdout
