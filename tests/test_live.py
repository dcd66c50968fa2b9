"""`scneuro live`: the page, who is let in, and the command."""

import asyncio
import importlib.util
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from bokeh.client import pull_session
from bokeh.document import Document
from bokeh.events import ButtonClick
from bokeh.models import Div, Select, Slider, Toggle, Widget
from browser import Browser, chromium
from test_watch import CURRENTS, crowd, until, watched
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect
from watched import IntegerChip

from scneuro import LIF, Network, cli
from scneuro.errors import ScneuroError
from scneuro.network import NetworkRecording
from scneuro.network.maps import Dense
from scneuro.sim.watch.watch import PACES, Watch
from scneuro.sim.watch.web.page import Page
from scneuro.sim.watch.web.server import ADDRESS, Served


@contextmanager
def served(watch, **options):
    """The page of a watch, served by a thread of its own."""
    made = []

    def work():
        with Served(watch, "icebreaker, at a stand-in", **options) as page:
            made.append(page)
            page.run()

    thread = threading.Thread(target=work)
    with watch:
        thread.start()
        until(lambda: made)
        (page,) = made
        try:
            yield page
        finally:
            page.stop()
            thread.join()


class Viewer:
    """The page as a browser has it, without one: the library's own client."""

    def __init__(self, port, token):
        self._loop, self._id, self._session = (
            IOLoop(make_current=False),
            secrets.token_hex(),
            None,
        )
        self._url, self._arguments = f"http://{ADDRESS}:{port}/", {"token": token} if token else {}
        self.pull()

    def pull(self):
        """See how things are by now: the client leaves out what it is told meanwhile."""
        asyncio.set_event_loop(self._loop.asyncio_loop)
        if self._session is not None:
            self._session.close()
        self._session = pull_session(self._id, self._url, self._loop, self._arguments)
        self.document = self._session.document

    def __getitem__(self, name):
        return named(self.document, name)

    def set(self, name, **changes):
        """Change a widget; the server knows of it."""
        self[name].update(**changes)
        self.sent()

    def sent(self):
        self._session.force_roundtrip()

    def soon(self, condition):
        """Wait for what the server tells."""
        until(lambda: self.pull() or condition())

    def close(self):
        asyncio.set_event_loop(self._loop.asyncio_loop)
        if self._session is not None:
            self._session.close()
        self._loop.close(all_fds=True)
        asyncio.set_event_loop(None)


@contextmanager
def viewed(port, token):
    viewer = Viewer.__new__(Viewer)
    try:
        viewer.__init__(port, token)
        yield viewer
    finally:
        viewer.close()


def got(url):
    """What is answered; a refusal raises."""
    try:
        with urllib.request.urlopen(url) as reply:
            return reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            text = error.read().decode()
        raise Refused(error.code, text) from None


class Refused(Exception):
    pass


def named(document, name):
    found = document.get_model_by_name(name)
    assert found is not None, name
    return found


# -- who is let in --------------------------------------------------------------------------------
def test_only_who_has_the_token_is_told_anything():
    with served(watched(crowd())) as page:
        base = f"http://{ADDRESS}:{page.port}"
        assert "Izhikevich" in got(page.url)
        for path in ("/", "/autoload.js?bokeh-autoload-element=1", "/metadata", "/ws"):
            for token in ("", "token=", "token=x", f"token={page.token[:-1]}"):
                with pytest.raises(Refused) as caught:
                    got(f"{base}{path}{'&' if '?' in path else '?'}{token}")
                code, text = caught.value.args
                assert code == 403, path
                assert page.token not in text
                assert "Izhikevich" not in text
        with (
            pytest.raises(OSError, match="403, given message: the address has no token"),
            viewed(page.port, None),
        ):
            pass
        assert page.viewers == 1


def test_it_listens_on_this_machine_alone():
    with served(watched(LIF())) as page:
        assert page.socket.getsockname() == ("127.0.0.1", page.port)


def test_a_websocket_of_another_origin_is_refused():
    with served(watched(LIF())) as page:

        async def opened(origin):
            request = HTTPRequest(
                f"ws://{ADDRESS}:{page.port}/ws?token={page.token}", headers={"Origin": origin}
            )
            line = await websocket_connect(request, subprotocols=["bokeh", "x"])
            line.close()
            await line.read_message()  # that it is closed

        for origin in ("http://evil.example", f"http://evil.example:{page.port}", "null"):
            with pytest.raises(HTTPClientError, match="403"):
                asyncio.run(opened(origin))
        asyncio.run(opened(f"http://{ADDRESS}:{page.port}"))


def test_nothing_is_loaded_from_elsewhere():
    with served(watched(LIF())) as page:
        text = got(page.url)
        loaded = re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=[\"']([^\"']+)", text)
        assert loaded
        for address in loaded:
            assert not re.match(r"(https?:)?//", address), address
            assert got(f"http://{ADDRESS}:{page.port}/{address.lstrip('/')}")


# -- the page -------------------------------------------------------------------------------------
def test_the_page_shows_what_the_chip_does_and_its_widgets_change_it():
    target = crowd(parameters={"a": np.linspace(0.02, 0.1, 5)})
    watch = watched(target, given={"I": CURRENTS}, pace=PACES[0])
    with served(watch) as page, viewed(page.port, page.token) as viewer:
        assert viewer.document.title == "Izhikevich, icebreaker, at a stand-in"
        viewer.soon(lambda: len(viewer["spikes Izhikevich"].data["t"]) > 5)
        assert len(viewer["traces 0"].data["t"]) == 3
        assert "steps/s" in viewer["header"].text
        most = viewer["input I"].end
        viewer.set("input I", value=most)
        until(lambda: watch.inputs.held["I"].tolist() == [most] * 5)
        viewer.set("pause", active=True)
        until(lambda: watch.status.paused)
        viewer.soon(lambda: "paused" in viewer["header"].text)
        assert viewer["pause"].label == "go on"


def shown(watch):
    """A page without a server, and its document."""
    document = Document()
    return Page(document, watch, "icebreaker, at a stand-in"), document


def test_each_widget_does_what_it_says():
    target = crowd(parameters={"a": np.linspace(0.02, 0.1, 5)})
    with watched(target, given={"I": CURRENTS}, pace=PACES[0]) as watch:
        page, document = shown(watch)
        slider = named(document, "input I")
        assert slider.title == "I (mV/ms)"
        assert slider.value == pytest.approx(CURRENTS.mean())
        named(document, "of").value = "3"
        assert slider.value == CURRENTS[3]
        assert not watch._wishes  # it was set to how things are, and nobody wished it
        slider.value = 0
        until(lambda: watch.inputs.held["I"].tolist() == [4, 8, 10, 0, 14])
        named(document, "parameter Izhikevich.a").value = 0.08
        until(lambda: watch.chip.states["Izhikevich.a"][3] == pytest.approx(0.08, abs=1e-3))
        assert watch.chip.states["Izhikevich.a"][0] == pytest.approx(0.02, abs=1e-3)
        named(document, "states").value = ["Izhikevich.u", "Izhikevich.V"]
        named(document, "neurons").value = "1, 4"
        until(lambda: watch.choice.neurons == (1, 4) and len(watch.choice.states) == 2)
        page.update()
        assert named(document, "traces 1").data["neuron"] == ["neuron 1", "neuron 4"]
        assert named(document, "figure traces 0").yaxis.axis_label == "Izhikevich.u (mV/ms)"
        visible = [named(document, f"figure traces {k}").visible for k in range(3)]
        assert visible == [True, True, False]
        named(document, "pace").value = PACES[1]
        until(lambda: watch.status.pace == PACES[1])
        named(document, "pause").active = True
        until(lambda: watch.status.paused and not watch._wishes)
        named(document, "state").value = "Izhikevich.u"
        named(document, "value").value = 1.5
        click(document, "set")
        until(lambda: watch.chip.states["Izhikevich.u"][3] == 1.5)
        click(document, "reset")
        until(lambda: watch.chip.states["Izhikevich.u"][3] == -13)
        texts = [found.text for found in document.select({"type": Div})]
        assert any("constants of the bitstream" in text for text in texts)


def click(document, name):
    button = named(document, name)
    button._trigger_event(ButtonClick(button))


def test_what_is_typed_wrong_is_said_on_the_page():
    watch = watched(crowd())
    page, document = shown(watch)
    for name, value, says in (
        ("neurons", "0, x", "'x' is no neuron"),
        ("neurons", "7", "there is no neuron 7"),
        ("of", "-1", "'-1' is no neuron"),
    ):
        named(document, name).value = value
        page.update()
        assert says in unescape(named(document, "said").text)
    named(document, "of").value = "9"
    named(document, "input I").value = 1.0
    page.update()
    assert "neurons 0 to 4, not 9" in named(document, "said").text
    click(document, "set")
    page.update()
    assert "write the value that" in named(document, "said").text
    assert not watch._wishes
    watch.stop()


def test_a_recording_is_made_with_a_button(tmp_path):
    with watched(crowd(), given={"I": CURRENTS}, folder=tmp_path) as watch:
        page, document = shown(watch)
        record = named(document, "record")
        record.active = True
        until(lambda: watch.status.recording)
        page.update()
        assert "recording to" in named(document, "said").text
        assert (record.label, record.active) == ("stop and save", True)
        record.active = False
        until(lambda: watch.status.recorded)
        page.update()
        (path,) = tmp_path.iterdir()
        assert str(path) in named(document, "said").text
        assert record.label == "record"
    assert "Izhikevich/spikes/t" in np.load(path)


def test_late_and_saturated_have_a_colour_of_their_own_where_there_are_any():
    watch = watched(LIF())
    document = Document()
    page = Page(document, watch, "here")
    assert "warns" not in named(document, "counters").text
    watch.chip.late = 3
    watch._tell(counters=watch.chip.counters)
    page.update()
    rows = re.findall(r"<tr.*?</tr>", named(document, "counters").text)
    assert [("warns" in r, "b5341c" in r) for r in rows if "late" in r] == [(True, True)]
    assert not any("warns" in r for r in rows if "late" not in r)
    watch.stop()


def test_a_link_that_fails_is_said_on_the_page():
    with watched(LIF()) as watch:
        page, document = shown(watch)
        watch.chip.fails = 0
        until(lambda: not watch.status.connected)
        page.update()
        assert "no link" in named(document, "header").text
        assert "plug it in" in named(document, "said").text
        watch.chip.fails = None
        until(lambda: watch.status.connected)
        page.update()
        assert "no link" not in named(document, "header").text


def test_names_are_text_and_no_html():
    network = Network.of(LIF(), "<b>net</b>")
    chip = IntegerChip(LIF())
    chip.network = network
    watch = Watch(lambda: chip)
    document = Document()
    Page(document, watch, "<script>1</script>")
    text = named(document, "header").text
    assert "&lt;b&gt;net" in text
    assert "&lt;script&gt;" in text
    watch.stop()


# -- read-only ------------------------------------------------------------------------------------
def test_read_only_has_no_widget_but_the_window_and_refuses_what_is_made_up():
    watch = watched(crowd(), given={"I": CURRENTS}, read_only=True)
    with served(watch) as page, viewed(page.port, page.token) as viewer:
        there = [w for w in viewer.document.select({"type": Widget}) if not isinstance(w, Div)]
        assert [w.name for w in there] == ["window"]
        assert isinstance(there[0], Select)
        assert "read-only" in viewer["header"].text
        # a viewer who brings widgets of their own changes their own document, and nothing else
        for made in (Slider(name="input I", start=0, end=30, value=1), Toggle(name="pause")):
            viewer.document.add_root(made)
        viewer.set("input I", value=20)
        viewer.set("pause", active=True)
        viewer.pull()
        assert viewer["input I"].value == 20  # it did reach the server
        end = watch.now
        until(lambda: watch.now > end)
        assert watch.inputs.held["I"].tolist() == CURRENTS.tolist()
        assert not watch.status.paused
        assert not watch._wishes
        with viewed(page.port, page.token) as another:
            assert another.document.get_model_by_name("pause") is None


# -- much to see ----------------------------------------------------------------------------------
class Busy:
    """A chip of ten populations, a thousand neurons, that fire at random."""

    def __init__(self):
        self.network = Network("busy")
        self.network.input("x", 10, kind="current")
        for k in range(10):
            self.network.population(f"p{k}", LIF(dt=1.0), 100)
            self.network.connect("x", f"p{k}", Dense(np.ones((100, 10))))
        self.identity = IntegerChip(LIF()).identity
        self.states = {f"p{k}.V": np.arange(100.0) for k in range(10)}
        self.made = 0
        self.random = np.random.default_rng(0)

    @property
    def counters(self):
        return {"steps": self.made, "late": 0, "saturated": 0, "dropped": 0, "repeated": 0}

    def run(self, *, record, x, **_):
        steps = len(x)
        self.made += steps
        spike = {f"p{k}": self.random.random((steps, 100)) < 0.2 for k in range(10)}
        states = {n: {s: np.zeros((steps, 100)) for s in names} for n, names in record.items()}
        return NetworkRecording(1.0, spike, states)

    def close(self):
        pass


def test_a_thousand_neurons_in_ten_populations_are_drawn_with_a_bounded_number_of_points():
    chip = Busy()
    watch = Watch(lambda: chip, pace=PACES[0])
    watch.make(3_000)
    document = Document()
    page = Page(document, watch, "here")
    named(document, "window").value = "3000"
    page.update()
    spikes = [named(document, f"spikes p{k}") for k in range(10)]
    assert 1_000 < sum(len(s.data["t"]) for s in spikes) <= 12_000
    for k, source in enumerate(spikes):
        assert set(np.unique(source.data["y"] - source.data["neuron"])) == {100 * k}
    assert "neuron are drawn; rates are of all" in named(document, "notes").text
    assert watch.view(3000).rasters["p0"].rate == pytest.approx(200, rel=0.02)
    watch.stop()


# -- the command ----------------------------------------------------------------------------------
@pytest.fixture
def stand_in(monkeypatch):
    """The command's boards are stand-ins: the last one."""
    made = []

    def connector(options, target, *, flat_out):
        chip = IntegerChip(target.origin)
        made.append(chip)
        return lambda: chip

    monkeypatch.setattr("scneuro.cli.live.connector", connector)
    return made


def test_a_figure_of_some_steps(stand_in, tmp_path, capsys):
    path = tmp_path / "live.svg"
    line = f"live lif --port x --plot -o {path} --steps 300 --current 20 --trace V"
    assert cli.main(line.split()) == 0
    assert "300 steps drawn" in capsys.readouterr().out
    text = path.read_text()
    assert text.startswith("<?xml")
    assert "</svg>" in text
    assert stand_in[0].made == 300
    assert stand_in[0].closed


def test_what_the_command_is_given_is_what_is_watched(stand_in, monkeypatch):
    seen = []

    def look(self, watch, where, **options):
        seen.append((watch, where, options))
        raise ScneuroError("seen")

    monkeypatch.setattr("scneuro.sim.watch.web.server.Served.__init__", look)
    line = "live izhikevich --neurons 4 --port /dev/x --input I=7 --of 1-2 --trace u --read-only"
    assert cli.main([*line.split(), "--http", "8123", "--stay", "--every-step"]) == 2
    ((watch, where, options),) = seen
    assert where == "icebreaker, at /dev/x"
    assert options == {"port": 8123, "stays": True}
    assert watch.inputs.held["I"].tolist() == [7] * 4
    assert watch.choice.states == ("Izhikevich.u",)
    assert watch.choice.neurons == (1, 2)
    assert (watch.read_only, watch.status.pace) == (True, PACES[0])
    assert stand_in[0].closed


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("lif --port x -o f.png", "--plot -o FILE"),
        ("lif --port x --plot --steps 5", "-o FILE"),
        ("lif --port x --plot -o f.txt", "name a .png"),
        ("lif --port x --plot -o f.png --steps 0", "--steps must be at least 1"),
        ("lif --port x --plot -o f.png --steps 9000000", "more than the 10000 ms"),
        ("lif --port x --plot", "no window here"),
        ("lif --port x --trace q", "no state 'LIF.q'"),
        ("lif --port x --of 3", "there is no neuron 3"),
        ("lif --port x --input J=3", "LIF has the inputs I"),
        ("lif --port x --http 99999999", "cannot serve a page at port 99999999"),
        ("lif --port simulated", "say which board, with --board"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_with_a_way_out(
    line, says, request, monkeypatch, capsys, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    if "simulated" not in line:
        request.getfixturevalue("stand_in")
    assert cli.main(["live", *line.split()]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") <= 2
    assert not list(tmp_path.iterdir())


def test_a_port_that_is_taken_is_said(stand_in, capsys):
    with socket.socket() as taken:
        taken.bind((ADDRESS, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert cli.main(["live", "lif", "--port", "x", "--http", str(port)]) == 2
    said = capsys.readouterr().err
    assert f"cannot serve a page at port {port}: Address already in use" in said
    assert "0 for any that is free" in said
    assert stand_in == []  # no board was asked


def test_without_bokeh_it_says_what_to_install(monkeypatch, capsys):
    for name in [n for n in sys.modules if n.startswith("scneuro.sim.watch.web")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("scneuro.sim.watch.web", raising=False)
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda n: None if n == "bokeh" else found(n))
    assert cli.main(["live", "lif", "--port", "x"]) == 2
    assert 'pip install "scneuro[live]"' in capsys.readouterr().err


_PROGRAM = """
import signal, sys
sys.path.insert(0, sys.argv[1])
signal.signal(signal.SIGINT, signal.default_int_handler)
from watched import IntegerChip
from scneuro.cli import live, main
chips = []
def connector(options, target, *, flat_out):
    chips.append(IntegerChip(target.origin))
    return lambda: chips[-1]
live.connector = connector
code = main(["live", "lif", "--port", "x", "--current", "20", *sys.argv[2:]])
print("CLOSED", chips[-1].closed, chips[-1].control)
sys.exit(code)
"""


@contextmanager
def running(*arguments):
    """The command with a stand-in, in a process of its own, once its page is served; its URL."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(Path(__file__).parent), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        lines = [process.stdout.readline() for _ in range(3)]
        yield process, re.search(r"http\S+", "".join(lines))[0]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_ends_it_ends_it_cleanly_and_keeps_what_was_recorded(number, tmp_path):
    with running("--folder", str(tmp_path)) as (process, url):
        port, token = re.search(r":(\d+)/\?token=(.*)", url).groups()
        with viewed(port, token) as viewer:
            viewer.set("record", active=True)
            viewer.soon(lambda: "recording to" in viewer["said"].text)
            os.kill(process.pid, number)
            out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "CLOSED True None" in out
    (path,) = tmp_path.iterdir()
    assert err.strip() == f"recorded {path}"
    assert np.load(path)["LIF/neurons"].tolist() == [0]


@pytest.mark.slow
def test_it_ends_when_the_last_browser_has_left(monkeypatch):
    monkeypatch.setattr("scneuro.sim.watch.web.server._LEFT_MS", 100)
    monkeypatch.setattr("scneuro.sim.watch.web.server._LOOKS_MS", 50)
    watch, ends = watched(LIF()), []

    def work():
        with Served(watch, "here") as page:
            ends.append(page)
            page.run()

    thread = threading.Thread(target=work)
    with watch:
        thread.start()
        until(lambda: ends)
        with viewed(ends[0].port, ends[0].token):
            pass
        thread.join(30)
    assert not thread.is_alive()


@pytest.mark.slow
def test_where_it_stays_it_goes_on_without_a_browser(monkeypatch):
    monkeypatch.setattr("scneuro.sim.watch.web.server._LEFT_MS", 50)
    monkeypatch.setattr("scneuro.sim.watch.web.server._LOOKS_MS", 20)
    with served(watched(LIF()), stays=True) as page:
        with viewed(page.port, page.token):
            pass
        until(lambda: page.viewers == 0)
        with viewed(page.port, page.token) as viewer:
            viewer.soon(lambda: "steps/s" in viewer["header"].text)


# -- a simulated board ----------------------------------------------------------------------------
@contextmanager
def simulated(*arguments):
    """The command with a simulated board, once its page is served; its URL."""
    line = ["live", "lif", "--neurons", "4", "--board", "icebreaker", "--port", "simulated"]
    program = "import sys; from scneuro.cli import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", program, *line, *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        lines = [process.stdout.readline() for _ in range(2)]
        yield process, re.search(r"http\S+", lines[1])[0]
    finally:
        process.terminate()
        process.communicate()


@pytest.mark.slow
@pytest.mark.compiler
def test_the_page_of_a_simulated_board_is_driven_through_its_own_client():
    with simulated() as (process, url):
        port, token = re.search(r":(\d+)/\?token=(.*)", url).groups()
        with viewed(port, token) as viewer:
            viewer.soon(lambda: len(viewer["spikes LIF"].data["t"]) > 10)
            assert "LIF on icebreaker, simulated" in viewer["header"].text
            assert "0</td><td style='padding-left:8px'>late" in viewer["counters"].text
            viewer.set("pace", value=PACES[0])
            viewer.soon(lambda: len(viewer["samples 0"].data["t"]) == 0)
            viewer.set("input I", value=0)
            viewer.set("state", value="LIF.V")
            viewer.set("pause", active=True)
            viewer.soon(lambda: "paused" in viewer["header"].text)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.mark.slow
@pytest.mark.compiler
@pytest.mark.skipif(chromium() is None, reason="needs Chromium: apt install chromium")
def test_the_page_of_a_simulated_board_in_a_browser(tmp_path):
    with simulated("--folder", str(tmp_path)) as (process, url):
        with Browser(url) as browser:
            model = "Bokeh.documents[0].get_model_by_name('{}')".format
            browser.until("window.Bokeh && Bokeh.documents.length > 0")
            browser.until(f"{model('spikes LIF')}.data.t.length > 10")
            browser.until(f"{model('traces 0')}.data.t.length == 3")
            assert browser.value("document.title") == "LIF, icebreaker, simulated"
            # a click where a user would: on the button that says it
            browser.value(_CLICK.format("record"))
            browser.until(f"{model('said')}.text.includes('recording to')")
            browser.value(f"{model('input I')}.value = 0")
            browser.value(_CLICK.format("stop and save"))
            browser.until(f"{model('said')}.text.includes('recorded: ')")
            browser.value(_CLICK.format("pause"))
            browser.until(f"{model('header')}.text.includes('paused')")
            browser.picture(tmp_path / "page.png")
            assert not browser.errors
            own = re.match(r"http://[^/]+/", url)[0]
            asked = [a for a in browser.asked if not a.startswith(("data:", "blob:"))]
            assert len(asked) > 3
            assert all(a.startswith((own, own.replace("http", "ws"))) for a in asked), asked
        assert process.wait(30) == 0  # the browser has left
    (path,) = tmp_path.glob("*.npz")
    found = np.load(path)
    assert found["inputs/I"][-1].tolist() == [0] * 4
    assert len(found["LIF/spikes/t"]) > 0
    assert (tmp_path / "page.png").stat().st_size > 10_000


#: Clicks a button in the shadows of bokeh's elements.
_CLICK = """(() => {{
  const roots = [document];
  while (roots.length) {{
    const root = roots.pop();
    for (const element of root.querySelectorAll('*')) {{
      if (element.tagName === 'BUTTON' && element.textContent.trim() === '{}') {{
        element.click();
        return true;
      }}
      if (element.shadowRoot) roots.push(element.shadowRoot);
    }}
  }}
  throw Error('no such button');
}})()"""
