"""A browser under the WebDriver protocol: Debian's Chromium through its chromedriver, with nothing but the
standard library.

Every request that a page makes and every line of its console is in a log; names other than 127.0.0.1 do not
resolve, so that a page which needs somebody else fails.
"""

import base64
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Browser", "Element", "missing_programs"]

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver's key of an element's reference
PATIENCE = 20.0  # seconds for anything to appear
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1280,1600",
)

Json = dict[str, Any]


def missing_programs() -> list[str]:
    """Return which of the programs are not installed."""
    return [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]


class Element:
    """An element of the page that is shown."""

    def __init__(self, browser: "Browser", reference: str) -> None:
        self._browser, self._path = browser, f"element/{reference}"

    def click(self) -> None:
        """Click it, as a person does: it must be visible."""
        self._browser.ask("POST", f"{self._path}/click", {})

    def type(self, text: str) -> None:
        """Replace its value by what is typed."""
        self._browser.ask("POST", f"{self._path}/clear", {})
        self._browser.ask("POST", f"{self._path}/value", {"text": text})

    @property
    def text(self) -> str:
        """The text that is visible in it."""
        return str(self._browser.ask("GET", f"{self._path}/text"))


class Browser:
    """One browser with one fresh profile."""

    def __init__(self, profile: Path) -> None:
        self._driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._session = ""
        try:
            self._base = f"http://127.0.0.1:{self._port()}"
            options = {"args": [*FLAGS, f"--user-data-dir={profile}"], "binary": shutil.which("chromium")}
            wanted = {
                "browserName": "chrome",
                "goog:chromeOptions": options,
                "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
            }
            answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
            self._session = f"/session/{answer['sessionId']}/"
        except BaseException:
            self.close()
            raise

    def _port(self) -> int:
        assert self._driver.stdout is not None
        for line in self._driver.stdout:
            if "successfully on port" in line:
                return int(line.rstrip(". \n").rsplit(" ", 1)[1])
        raise RuntimeError("chromedriver ended before it said where it listens")

    def _call(self, method: str, path: str, content: Json | None = None) -> Any:
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(
            self._base + path, data, {"content-type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise RuntimeError(json.load(error)["value"]["message"]) from None

    def close(self) -> None:
        """End the browser and its driver."""
        try:
            if self._session:
                self._call("DELETE", self._session.rstrip("/"))
        finally:
            self._driver.terminate()
            self._driver.wait(10)
            assert self._driver.stdout is not None
            self._driver.stdout.close()

    def ask(self, method: str, path: str, content: Json | None = None) -> Any:
        """Send a command of the session; return its value."""
        return self._call(method, self._session + path, content)

    def open(self, url: str) -> None:
        """Load a page; what was logged before is forgotten."""
        self.ask("POST", "url", {"url": "about:blank"})
        self._log("performance")
        self._log("browser")
        self.ask("POST", "url", {"url": url})

    def find(self, selector: str) -> Element:
        """Return the first element that fits a CSS selector, or an XPath that starts with `//`; wait for it.

        Raises:
            AssertionError: none has appeared.
        """
        return self.wait(lambda: self.find_all(selector), f"nothing fits {selector}")[0]

    def find_all(self, selector: str) -> list[Element]:
        """Return the elements that fit now."""
        using = "xpath" if selector.startswith("//") else "css selector"
        found = self.ask("POST", "elements", {"using": using, "value": selector})
        return [Element(self, entry[ELEMENT]) for entry in found]

    def wait(self, question: Callable[[], Any], otherwise: str) -> Any:
        """Ask until there is an answer."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = question()
            if answer:
                return answer
            time.sleep(0.05)
        raise AssertionError(f"{otherwise}; console: {self.console()}")

    def run(self, script: str) -> Any:
        """Run a script's function body in the page; return what it returns."""
        return self.ask("POST", "execute/sync", {"script": script, "args": []})

    def prefer(self, scheme: str) -> None:
        """Make the browser prefer "light" or "dark" pages."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        params: Json = {"features": features}
        self.ask("POST", "goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": params})

    def screenshot(self, path: Path) -> None:
        """Write what is shown as PNG."""
        path.write_bytes(base64.b64decode(self.ask("GET", "screenshot")))

    def _log(self, kind: str) -> list[Json]:
        entries: list[Json] = self.ask("POST", "se/log", {"type": kind})
        return entries

    def console(self) -> list[str]:
        """Return the console's warnings and errors since they were asked for last."""
        entries = [entry for entry in self._log("browser") if entry["level"] in ("WARNING", "SEVERE")]
        return [f"{entry['level']} {entry['message']}" for entry in entries]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since they were asked for last."""
        messages = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        sent = [each["params"] for each in messages if each["method"] == "Network.requestWillBeSent"]
        return [str(params["request"]["url"]) for params in sent]
