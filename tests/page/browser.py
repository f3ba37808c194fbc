"""Debian's Chromium, driven by selenium, looking at the page of one agent."""

import json
import os

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from harness.waiting import wait_for

# Kept in the page before anything of it runs.
NOTE_VIOLATIONS = """
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => violations.push(event.violatedDirective));"""


class Browser:
    """One headless Chromium. `css` finds elements, `text` waits for nothing, `until` waits."""

    def __init__(self):
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("headless=new", "disable-gpu", "disable-dev-shm-usage", "hide-scrollbars",
                         "no-first-run", "ignore-certificate-errors", "disable-background-networking", "disable-component-update"):
            options.add_argument("--" + argument)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # it refuses to run as root with it
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": NOTE_VIOLATIONS})
        self.look_like()

    def close(self):
        self.driver.quit()

    def look_like(self, width=1280, height=900, dark=False):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def open(self, port, token=None, scheme="http"):
        """The page, as somebody who comes for the first time; with a token, through its question."""
        self.driver.get(f"{scheme}://127.0.0.1:{port}/")
        self.run("sessionStorage.clear()")
        self.driver.refresh()
        if token is not None:
            self.until(lambda: self.one("#token").is_displayed())
            self.one("#token").send_keys(token + "\n")
            self.until(lambda: self.one("#main").is_displayed())

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def text(self, css):
        return self.run("return document.querySelector(arguments[0])?.textContent ?? null", css)

    def texts(self, css):
        return self.run("return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)", css)

    def style(self, css, name):
        return self.run("return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]", css, name)

    def until(self, condition, what="the page"):
        return wait_for(condition, what=what, interval=0.05)

    def complaints(self):
        """What the console says, but for answers that are no success: those, the page itself tells."""
        return [line["message"] for line in self.driver.get_log("browser")
                if "Failed to load resource" not in line["message"]]

    def card(self, name):
        return f".card[data-name={json.dumps(name)}]"
