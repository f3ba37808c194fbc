"""The page of agent.admin, in a browser."""

import http.client
import json
import re
import signal

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from harness.pipelines import file_source, http_sink, pipeline, where
from harness.ports import free_port

TOKEN = "0123456789abcdef"
MARKUP = "<script>window.injected = 1</script><img src=x onerror='window.injected = 2'>"


@pytest.fixture
def shown(agent, collector):
    """What most tests look at: a pipeline that follows `shown.log` and filters, and one that has failed."""

    class Shown:
        log = agent.folder / "in.jsonl"
        port = free_port()

        def append(self, *lines):
            with open(self.log, "a", encoding="utf8") as file:
                file.writelines((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)

        def ask(self, path):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
            body = connection.getresponse().read().decode()
            connection.close()
            return body

        def status(self):
            return json.loads(self.ask("/api/v1/status"))

    one = Shown()
    one.append(*({"seq": n} for n in range(1200)), "no record", {"seq": -1})
    agent.configure(
        pipeline(file_source(one.log, follow=True), http_sink(collector), where("seq >= 0"), name="press-line"),
        pipeline(file_source(one.log), {"type": "file", "path": f"{one.log}/x", "format": "ndjson"}, name="mill"),
        # All that it does, who may only look can do.
        admin={"listen": f"127.0.0.1:{one.port}", "tokens": [{"token": TOKEN, "role": "read"}]})
    agent.start()
    agent.wait_log("mill: failed")
    collector.wait_records(1200)
    return one


def colour(text):
    return [float(number) for number in re.findall(r"[\d.]+", text)[:3]]


def test_it_shows_what_the_status_says(browser, shown):
    browser.open(shown.port, TOKEN)
    press = browser.card("press-line")
    browser.until(lambda: [browser.text(f"{press} [data-value={name}]") for name in ("read", "waiting")] == ["1,202", "0"])
    status = shown.status()
    assert status["pipelines"][1]["records"]["read"] == 1202
    for one in status["pipelines"]:
        card = browser.card(one["name"])
        for name in ("read", "delivered", "filtered", "waiting", "deadLetters"):
            assert browser.text(f"{card} [data-value={name}]") == f"{one['records'][name]:,}", name
        assert browser.text(f"{card} [data-value=retries]") == str(one["retries"])
        assert browser.text(f"{card} .state") == one["state"]
        assert (browser.text(f"{card} .reason") or None) == one.get("reason")
    chain = [stage["name"] for stage in status["pipelines"][1]["stages"]]
    assert browser.texts(f"{press} .chain b") == chain and chain[0] == "file" and chain[-1] == "http"
    assert browser.texts(f"{browser.card('mill')} .chain b") == ["file", "file"], "as it is configured"
    reasons = status["pipelines"][1]["deadLetterReasons"]
    assert browser.texts("#dead-rows td") == ["press-line", reasons[0]["stage"], reasons[0]["code"],
                                                 reasons[0]["reason"], "1"]
    assert browser.text("#agent") == status["id"]
    assert browser.text(f"{press} [data-show=spool]").endswith("of 64.0 MiB")


def test_it_tells_rates_and_draws_them(browser, shown):
    browser.open(shown.port, TOKEN)
    press = browser.card("press-line")
    browser.until(lambda: browser.text(f"{press} [data-show=inRate]") == "0")
    shown.append(*({"seq": n} for n in range(500)))
    browser.until(lambda: "at most 0/s" not in browser.text(f"{press} .most"))
    most = browser.run("return document.querySelector(arguments[0]).getAttribute('aria-label')", f"{press} .plot")
    assert re.search(r"at most [1-9]\d*(\.\d)? records a second", most)
    path = browser.run("return document.querySelector(arguments[0]).getAttribute('d')", f"{press} .plot .in")
    assert re.fullmatch(r"M[\d.]+ [\d.]+H[\d.]+(L[\d.]+ [\d.]+H[\d.]+)*", path)
    assert " 3.0H" in path, "the top of the plot is the most that was seen"


def test_a_failed_pipeline_turns_red(agent, browser, shown):
    browser.open(shown.port, TOKEN)
    state = {name: colour(browser.style(f"{browser.card(name)} .state", "color")) for name in ("press-line", "mill")}
    assert state["mill"][0] > 2 * max(state["mill"][1:]), "red"
    assert state["press-line"][1] > max(state["press-line"][0], state["press-line"][2]), "green"
    assert "1 of 2 in trouble: mill." == browser.text("#verdict")
    # And back, when what was wrong is not so any more.
    config = json.loads(agent.config_path.read_text())
    config["pipelines"][1]["sink"]["path"] = f"{shown.log}.out"
    agent.write_config(config)
    agent.send(signal.SIGHUP)
    browser.until(lambda: browser.text("#verdict") == "All well.")
    assert colour(browser.style(f"{browser.card('mill')} .state", "color")) != state["mill"]


def test_a_tap_shows_records_as_text_whatever_they_are_called(browser, shown):
    browser.open(shown.port, TOKEN)
    browser.one(f"{browser.card('press-line')} .tap").click()
    browser.until(lambda: browser.text("#tap-state") == "Looking at press-line.")
    shown.append({"seq": 9007199254740993, MARKUP: MARKUP})
    wanted = json.dumps({"seq": 9007199254740993, MARKUP: MARKUP}, separators=(",", ":"))
    browser.until(lambda: any(text.endswith(wanted) for text in browser.texts("#tap-lines li")),
                  what=lambda: browser.texts("#tap-lines li"))
    assert browser.run("return window.injected ?? null") is None
    assert browser.all("#tap-lines script, #tap-lines img") == []
    browser.one("#tap-go").click()
    browser.until(lambda: browser.text("#tap-state") == "Stopped.")
    # What a stage filters, and what cannot be asked.
    browser.one("#tap-dropped").click()
    Select(browser.one("#tap-stage")).select_by_visible_text("2 filter")
    browser.one("#tap-where").send_keys("seq = -7")
    browser.one("#tap-go").click()
    browser.until(lambda: browser.text("#tap-state") == "Looking at press-line.")
    shown.append({"seq": -6}, {"seq": -7})
    browser.until(lambda: any('{"seq":-7}' in text for text in browser.texts("#tap-lines li")))
    assert not any('{"seq":-6}' in text for text in browser.texts("#tap-lines li"))
    browser.one("#tap-go").click()
    browser.until(lambda: browser.text("#tap-go") == "Start")
    browser.one("#tap-where").send_keys(" AND")
    browser.one("#tap-go").click()
    browser.until(lambda: browser.text("#tap-state").startswith("The agent does not show it: "))


def test_a_dead_letter_named_as_markup_stays_text(browser, shown):
    browser.open(shown.port, TOKEN)
    shown.append("{" + MARKUP)
    browser.until(lambda: browser.text(f"{browser.card('press-line')} [data-value=deadLetters]") == "2")
    assert browser.all("#dead-rows script, #dead-rows img") == []
    assert browser.run("return window.injected ?? null") is None


def test_it_asks_for_the_token_and_keeps_it_for_the_tab(browser, shown):
    browser.open(shown.port)
    browser.until(lambda: browser.one("#token").is_displayed())
    assert not browser.one("#main").is_displayed() and browser.texts(".card") == []
    browser.one("#token").send_keys("0123456789abcdeX\n")
    browser.until(lambda: browser.text("#token-wrong") == "That is none of its tokens.")
    browser.one("#token").send_keys(TOKEN + "\n")
    browser.until(lambda: browser.one("#main").is_displayed() and browser.text("#agent") == "test")
    assert not browser.one("#ask-token").is_displayed()
    browser.driver.refresh()
    browser.until(lambda: browser.one("#main").is_displayed())
    assert browser.run("return [localStorage.length, document.cookie]") == [0, ""]
    browser.one("#forget").click()
    browser.until(lambda: browser.one("#token").is_displayed())
    assert browser.run("return sessionStorage.length") == 0


def test_it_shows_the_configuration_without_secrets(browser, shown):
    browser.open(shown.port, TOKEN)
    browser.one("summary").click()
    browser.until(lambda: browser.text("#config-text"))
    assert browser.text("#config-text") == shown.ask("/api/v1/config")
    assert TOKEN not in browser.text("#config-text")


def test_it_says_when_the_agent_is_gone_and_goes_on_when_it_is_back(agent, browser, shown):
    browser.open(shown.port, TOKEN)
    agent.kill()
    browser.until(lambda: browser.text("#verdict").startswith("No answer from the agent since "))
    agent.start()
    browser.until(lambda: browser.text("#verdict") == "1 of 2 in trouble: mill.")
    browser.until(lambda: browser.text(f"{browser.card('press-line')} [data-value=waiting]") == "0")


FOCUS = """
    const one = document.activeElement;
    const style = getComputedStyle(one);
    return one === document.body ? null : { at: [...document.querySelectorAll('*')].indexOf(one),
        seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 };"""
REACHABLE = """
    const all = [...document.querySelectorAll('*')];
    return all.filter((one) => one.matches('a[href], button, input, select, summary, [tabindex="0"]') &&
        one.checkVisibility()).map((one) => all.indexOf(one));"""


def test_the_keyboard_reaches_everything_and_one_sees_where_it_is(browser, shown):
    browser.open(shown.port, TOKEN)
    browser.one("summary").click()
    browser.until(lambda: browser.text("#config-text"))
    browser.one(f"{browser.card('press-line')} .tap").click()
    browser.until(lambda: browser.text("#tap-state") == "Looking at press-line.")
    shown.append({"seq": 1})
    browser.until(lambda: browser.texts("#tap-lines li"))
    browser.run("document.activeElement.blur(); scrollTo(0, 0)")
    wanted = set(browser.run(REACHABLE))
    reached = set()
    for _ in range(len(wanted) + 3):
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        focus = browser.run(FOCUS)
        if focus is not None:
            assert focus["seen"], browser.run("return document.activeElement.outerHTML")
            reached.add(focus["at"])
    assert wanted <= reached, [browser.run("return document.querySelectorAll('*')[arguments[0]].outerHTML", at)
                               for at in wanted - reached]
    # A button does by Enter what it does by a click.
    browser.run("document.querySelector('#tap-go').focus()")
    ActionChains(browser.driver).send_keys(Keys.ENTER).perform()
    browser.until(lambda: browser.text("#tap-state") == "Stopped.")


def test_a_screen_reader_has_a_name_for_everything(browser, shown):
    browser.open(shown.port, TOKEN)
    nodes = browser.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {"button", "textbox", "searchbox", "spinbutton", "combobox", "checkbox", "meter", "image", "link", "region",
             "article", "heading", "log", "navigation", "img"}
    roles = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes
             if not node.get("ignored") and node.get("role")]
    assert [role for role, name in roles if role in named and not name.strip()] == []
    assert {"article", "meter", "heading", "button"} <= {role for role, _ in roles}
    assert browser.run("return document.documentElement.lang") == "en"
    # Only what says how things are as a whole is said by itself.
    assert browser.run("""return [...document.querySelectorAll('[role=status], [role=alert], [aria-live]')]
        .filter((one) => one.getAttribute('aria-live') !== 'off').map((one) => one.id)""") == [
            "verdict", "token-wrong", "shown-count", "tap-state", "config-state"]


# The contrast of an element's text against what is behind it, as WCAG has it.
CONTRAST = """
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = (rgb) => rgb.slice(0, 3).map((value) => value / 255)
        .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
        .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (one) => {
      for (; one !== null; one = one.parentElement) {
        const back = parse(getComputedStyle(one).backgroundColor);
        if (back.length < 4 || back[3] > 0) return back;
      }
      return [255, 255, 255];
    };
    return [...document.querySelectorAll('h1, h1 span, h2, h3, p, a, button, .state, small, b, dt, dd, th, td, figcaption, label, summary, pre, li')]
        .filter((one) => one.checkVisibility() && one.textContent.trim() !== '').map((one) => {
          const [a, b] = [light(parse(getComputedStyle(one).color)), light(behind(one))].sort((x, y) => y - x);
          return [(a + 0.05) / (b + 0.05), one.tagName + '.' + one.className + '#' + one.id];
        }).sort((x, y) => x[0] - y[0])[0];"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 820, 1280])
def test_it_fits_the_screen_and_can_be_read(browser, shown, width, dark):
    browser.look_like(width=width, height=800, dark=dark)
    browser.open(shown.port, TOKEN)
    browser.one("summary").click()
    browser.until(lambda: browser.text("#config-text"))
    browser.one(f"{browser.card('press-line')} .tap").click()
    browser.until(lambda: browser.text("#tap-state") == "Looking at press-line.")  # what passed before is not shown
    shown.append({"seq": 1, "text": "long" * 200})
    browser.until(lambda: any("longlong" in text for text in browser.texts("#tap-lines li")),
                  what=lambda: browser.text("#tap-state"))
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    assert (max(colour(browser.style("body", "backgroundColor"))) < 60) == dark
    contrast, where_ = browser.run(CONTRAST)
    assert contrast >= 4.5, where_


def test_under_tls_it_is_the_same(agent, browser, shown, certs):
    config = json.loads(agent.config_path.read_text())
    config["agent"]["admin"]["listen"] = f"127.0.0.1:{free_port()}"
    config["agent"]["admin"]["tls"] = {"cert": str(certs.server), "key": str(certs.server_key)}
    agent.write_config(config)
    agent.send(signal.SIGHUP)
    agent.wait_log("admin: listening on https://")
    browser.open(int(config["agent"]["admin"]["listen"].split(":")[1]), TOKEN, scheme="https")
    browser.until(lambda: browser.text(f"{browser.card('press-line')} [data-value=delivered]") == "1,200")
    browser.one(f"{browser.card('press-line')} .tap").click()
    browser.until(lambda: browser.text("#tap-state") == "Looking at press-line.")
    shown.append({"seq": 31415})
    browser.until(lambda: any("31415" in text for text in browser.texts("#tap-lines li")))


def test_without_tokens_it_asks_for_none_and_says_what_it_may_not_show(agent, browser, shown):
    config = json.loads(agent.config_path.read_text())
    del config["agent"]["admin"]["tokens"]
    agent.write_config(config)
    agent.send(signal.SIGHUP)
    agent.wait_log("configuration taken over")
    browser.open(shown.port)
    browser.until(lambda: browser.text("#verdict") == "1 of 2 in trouble: mill.")
    assert not browser.one("#ask-token").is_displayed() and not browser.one("#forget").is_displayed()
    browser.one(f"{browser.card('press-line')} .tap").click()
    refused = "The agent does not show it: without agent.admin.tokens, this is refused"
    browser.until(lambda: browser.text("#tap-state") == refused)
    browser.one("summary").click()
    browser.until(lambda: browser.text("#config-state") == refused)


def test_of_many_pipelines_those_are_shown_whose_name_or_state_has_what_was_typed(browser, shown):
    browser.open(shown.port, TOKEN)
    for typed, found in (("fail", ["mill"]), ("TROUBLE", ["mill"]), ("press", ["press-line"]), ("e", ["mill", "press-line"])):
        browser.one("#wanted").clear()
        browser.one("#wanted").send_keys(typed)
        assert [one.get_attribute("data-name") for one in browser.all(".card") if one.is_displayed()] == found
        assert browser.text("#shown-count") == f"{len(found)} of 2"
