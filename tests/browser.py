"""A page in a browser without a window, over Chromium's own debugging protocol."""

import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from tornado.websocket import websocket_connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium():
    """Its path; None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """Chromium, with one page.

    Attributes
    ----------
    asked : list of str
        The addresses that the page asked for.
    errors : list of str
        What the page's scripts complained of.
    """

    def __init__(self, url, size=(1300, 1100)):
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [
                chromium(),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--hide-scrollbars",
                f"--window-size={size[0]},{size[1]}",
                "--remote-debugging-port=0",
                f"--user-data-dir={self._folder.name}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.asked, self.errors = [], []
        self._number = 0
        self._loop = asyncio.new_event_loop()
        try:
            self._line = self._loop.run_until_complete(self._connected())
            self("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1],
                 deviceScaleFactor=1, mobile=False)  # fmt: skip
            for domain in ("Page", "Runtime", "Network", "Log"):
                self(f"{domain}.enable")
            self("Page.navigate", url=url)
        except BaseException:
            self.close()
            raise

    async def _connected(self):
        port_file = Path(self._folder.name) / "DevToolsActivePort"
        end = time.monotonic() + 30
        while not (port_file.is_file() and port_file.read_text().count("\n")):
            assert time.monotonic() < end, "the browser does not start"
            await asyncio.sleep(0.05)
        port = port_file.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as reply:
            (page,) = (p for p in json.load(reply) if p["type"] == "page")
        return await websocket_connect(page["webSocketDebuggerUrl"], max_message_size=1 << 27)

    def __call__(self, method, **parameters):
        """Ask it for something, and wait for the answer."""
        return self._loop.run_until_complete(asyncio.wait_for(self._ask(method, parameters), 30))

    async def _ask(self, method, parameters):
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        await self._line.write_message(json.dumps(asked))
        while True:
            said = json.loads(await self._line.read_message())
            if said.get("id") == self._number:
                assert "error" not in said, said["error"]
                return said["result"]
            self._heard(said)

    def _heard(self, said):
        method, found = said.get("method"), said.get("params", {})
        if method in ("Network.requestWillBeSent", "Network.webSocketCreated"):
            self.asked.append(found["request"]["url"] if "request" in found else found["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(str(found["exceptionDetails"]))
        elif method == "Log.entryAdded" and found["entry"]["level"] == "error":
            self.errors.append(found["entry"]["text"])

    def value(self, script):
        """What an expression of JavaScript is."""
        found = self("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, script, seconds=30):
        """Wait until an expression is true; what it is then."""
        end = time.monotonic() + seconds
        while not (found := self.value(script)):
            assert time.monotonic() < end, f"{script} never became true"
            time.sleep(0.1)
        return found

    def picture(self, path):
        """Of the page as it is seen."""
        shot = self("Page.captureScreenshot", format="png")
        Path(path).write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        with suppress(Exception):
            self("Browser.close")
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._loop.close()
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
