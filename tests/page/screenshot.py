"""Pictures of the page: screenshot.py LEAT FILE. An agent with pipelines of all kinds is looked at until its
plots have something to show."""

import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from browser import Browser  # noqa: E402
from harness.agent import Agent  # noqa: E402
from harness.pipelines import file_source, pipeline, where  # noqa: E402
from harness.ports import free_port  # noqa: E402

TOKEN = "0123456789abcdef"
LOOKS = {"": {}, "-phone": {"width": 390, "height": 844}, "-dark": {"dark": True}}


def configure(agent, port):
    log = agent.folder / "lathe.jsonl"
    log.write_text('{"temp":1}\nno record\n{"temp":2}\n')

    def made(rate):
        return {"type": "generator", "rate": rate}

    def csv(name):
        return {"type": "file", "path": str(agent.folder / name), "format": "csv"}

    agent.configure(
        pipeline(made(120), csv("press"), where("state <> 'idle' AND temp > 40"),
                 {"type": "map", "set": {"tempF": "round(temp * 1.8 + 32, 1)"}}, name="press-line"),
        pipeline(made(40), {"type": "http", "url": f"http://127.0.0.1:{free_port()}/ingest"}, name="mill",
                 delivery={"spool": "always", "maxSpool": "1MiB", "breaker": {"threshold": 2, "cooldown": "30s"}}),
        pipeline(file_source(log, follow=True), csv("lathe"), name="lathe-logs"),
        pipeline(file_source(log), {"type": "file", "path": f"{log}/x", "format": "csv"}, name="saw"),
        id="gw-042", admin={"listen": f"127.0.0.1:{port}", "tokens": [TOKEN]})


def main(leat, picture):
    with tempfile.TemporaryDirectory() as folder:
        agent, port, browser = Agent(pathlib.Path(leat).resolve(), folder), free_port(), Browser()
        try:
            configure(agent, port)
            agent.start()
            for more, look in LOOKS.items():
                browser.look_like(**look)
                browser.open(port, TOKEN)
                browser.one(f"{browser.card('press-line')} .tap").click()
                browser.until(lambda: len(browser.texts("#tap-lines li")) > 20, "records")
                browser.one("#tap-go").click()
                browser.run("scrollTo(0, 0)")
                height = browser.run("return document.documentElement.scrollHeight")
                browser.look_like(**{**look, "height": height})
                browser.until(lambda: browser.all(".plot .in[d*=L]"), "plots")
                browser.driver.save_screenshot(str(picture.with_name(picture.stem + more + ".png")))
        finally:
            browser.close()
            agent.kill()


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
