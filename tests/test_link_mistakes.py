"""What goes wrong around a board: a line that says what, one with the way out, exit code 2."""

import itertools
import json
import os

import numpy as np
import pytest
from checks import few

from scneuro import LIF, Network, Population, cli
from scneuro.boards import BOARDS, LinkError, connect
from scneuro.boards.design import design
from scneuro.boards.devices import DEVICES
from scneuro.boards.network import network_hardware
from scneuro.errors import DoesNotFit, LoweringError
from scneuro.hdl.uart import SLOWEST, divisor
from scneuro.network import Dense
from scneuro.sim import SimulatedPort, simulated_board
from scneuro.sim.live.serve import Socket

ON = ["--port", "simulated", "--board", "icebreaker", "--baud", "3000000"]
LEAKY = ["lif", "--set", "tau_m=1"]


def layered(dt=0.1, inputs=200, hidden=60):
    rng = np.random.default_rng(1)
    net = Network("net")
    net.input("x", inputs)
    net.population("h", LIF(tau_m=2.0, dt=dt), hidden)
    net.population("out", LIF(tau_m=2.0, dt=dt), 10)
    net.connect("x", "h", Dense(rng.normal(0, 9, (hidden, inputs))))
    net.connect("h", "out", Dense(rng.normal(0, 9, (10, hidden))))
    net.output("out")
    return net


@pytest.fixture
def nothing_is_made(monkeypatch):
    """Whatever designs a board fails: what is refused, is refused before."""

    def made(*args, **options):
        raise AssertionError("a design was made")

    monkeypatch.setattr("scneuro.sim.live.simulated.design", made)


def refused(capsys, *arguments):
    """What a command says that fails: two lines at most, and no part of another program's words."""
    assert cli.main(list(arguments)) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.count("\n") <= 2
    for raw in ("Traceback", "Errno", "could not open", "Could not open", "NoneType", "{'"):
        assert raw not in error
    return error


# -- ports ----------------------------------------------------------------------------------------
SOCKET = "a socket has a host and a number from 1 to 65,535\n  write socket://HOST:NUMBER"
PORTS = {
    "socket://localhost:99999": SOCKET,
    "socket://localhost:-1": SOCKET,
    "socket://localhost:0": SOCKET,
    "socket://localhost:abc": SOCKET,
    "socket://localhost": SOCKET,
    "socket://:4000": SOCKET,
    "socket://": SOCKET,
    "socket://[::1": SOCKET,
    "nonsense://": "nonsense:// is no kind of port\n  name a serial port, such as",
    "a.b://c": "a.b:// is no kind of port\n",
    "": "a port is said by its name, and this one is empty\n  name a serial port",
    "socket://localhost:1": "nobody listens there\n  start one: scneuro board",
    "socket://nohost.invalid:4000": "there is no such host\n  of this machine, it is socket://lo",
    "4000": "there is no such port\n  did you mean socket://localhost:4000?",
    "localhost:4000": "there is no such port\n  did you mean socket://localhost:4000?",
    "rfc2217://localhost:1": "connection refused\n",
}


@pytest.mark.parametrize("port", PORTS)
def test_a_port_that_is_none_says_what_it_should_be(port, capsys):
    pytest.importorskip("serial")
    assert PORTS[port] in refused(capsys, "run", "lif", "--port", port, "--steps", "5")


@pytest.mark.skipif(os.name != "posix", reason="of devices as files")
def test_a_file_and_a_folder_are_no_serial_ports(tmp_path, capsys):
    pytest.importorskip("serial")
    (tmp_path / "file").write_text("no port")
    for place in (tmp_path, tmp_path / "file"):
        assert "it is no serial port\n" in refused(capsys, "run", "lif", "--port", str(place))


def test_what_is_no_port_no_target_and_no_rate_is_refused_before_a_port_is_opened():
    for port in (3, None, b"/dev/ttyUSB0"):
        with pytest.raises(TypeError, match=r"a port is its name, such as .*, not"):
            connect(port, LIF())
    for target, words in ((3, "not int"), ("lif", "not 'lif'"), (LIF, r"write LIF\(\)")):
        with pytest.raises(TypeError, match=rf"connect\(\) takes a neuron.* {words}"):
            connect("/dev/nowhere", target)
        with pytest.raises(TypeError, match=rf"simulated_board\(\) takes a neuron.* {words}"):
            simulated_board(target, "icebreaker")
    for baud, kind in ((0, ValueError), ("fast", TypeError), (1e6, TypeError)):
        with pytest.raises(kind, match="baud must be"):
            connect("/dev/nowhere", LIF(), baud=baud)
    for timeout in (0, -1, "long", None, float("nan")):
        with pytest.raises(ValueError, match="timeout must be a number of seconds above 0"):
            connect("/dev/nowhere", LIF(), timeout=timeout)


def test_a_board_that_there_is_not_is_no_other_board(capsys):
    error = refused(capsys, "run", "lif", "--port", "/dev/nowhere", "--board", "icebraker")
    assert "no board 'icebraker'" in error


def test_a_port_that_is_nearly_simulated_says_so(capsys, nothing_is_made):
    error = refused(capsys, "run", "lif", "--port", "simulate", "--board", "icebreaker")
    assert (
        error
        == "scneuro: --port simulate is no port\n  --port simulated simulates the board here\n"
    )


@pytest.mark.parametrize("number", ["-1", "70000"])
def test_a_number_that_no_socket_has_is_refused_in_our_words(number, capsys, nothing_is_made):
    error = refused(capsys, "board", "lif", "--board", "icebreaker", "--tcp", number)
    assert f"cannot listen on port {number}: there is no such number\n  choose another" in error


def test_a_number_that_is_taken_is_refused_before_the_work(capsys, nothing_is_made):
    line = Socket()
    number = line.port.rpartition(":")[2]
    board = refused(capsys, "board", "lif", "--board", "icebreaker", "--tcp", number)
    page = refused(capsys, "live", "lif", *ON, "--http", number)
    line.close()
    assert f"cannot listen on port {number}: Address already in use\n" in board
    assert f"cannot serve a page at port {number}: Address already in use\n" in page


# -- rates ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("baud", ["7", "0", "-5", "299", "9000000"])
def test_a_rate_that_the_boards_clock_cannot_make_names_those_it_can(baud, capsys, nothing_is_made):
    said = f"a 12,000,000 Hz clock cannot make {int(baud):,} baud within 2 %; it makes 300 to 3,000"
    board = ["--board", "icebreaker", "--baud", baud]
    for command in (["run", "lif", "--port", "simulated"], ["board", "lif"]):
        assert said in refused(capsys, *command, *board)


def test_a_rate_between_two_that_a_clock_makes_names_both():
    with pytest.raises(ValueError, match="and 2,400,000 and 3,000,000 are the nearest"):
        divisor(12_000_000, 2_700_000)
    assert divisor(12_000_000, 2_400_000) == 5
    assert divisor(12_000_000, SLOWEST) == 40_000
    with pytest.raises(ValueError, match="it is too slow for any"):
        divisor(1000, 250)
    with pytest.raises(TypeError, match=r"baud must be a whole number, not 1000000\.0"):
        simulated_board(LIF(), "icebreaker", baud=1e6)


# -- boards ---------------------------------------------------------------------------------------
def test_a_board_goes_by_its_name(monkeypatch):
    class Reached(Exception):
        pass

    def made(target, fixed, board, **options):
        raise Reached(board)

    monkeypatch.setattr("scneuro.sim.live.simulated.design", made)
    for given in ("icebreaker", BOARDS["icebreaker"]):
        with pytest.raises(Reached) as caught:
            simulated_board(LIF(), given)
        assert caught.value.args == (BOARDS["icebreaker"],)
    with pytest.raises(ValueError, match=r"no board 'icebraker'.*did you mean icebreaker\?"):
        simulated_board(LIF(), "icebraker")
    for given in (None, 3):
        with pytest.raises(TypeError, match="a board is a Board or its name, such as"):
            simulated_board(LIF(), given)


def hint_of(dt, board="icebreaker", **options):
    net = layered(dt)
    with pytest.raises(LoweringError, match="a step may take") as caught:
        design(net, net.fixed(), BOARDS[board], **options)
    return caught.value.hint


def test_a_step_that_is_too_long_names_what_would_be_quick_enough():
    others = "fewer neurons, or --flat-out for steps that do not keep time"
    assert hint_of(0.1) == f"use --clock 22, a dt of 0.18 ms, {others}"
    assert hint_of(0.01) == f"use a dt of 0.18 ms, {others}"
    assert hint_of(0.3, lanes=1) == f"use --lanes 4, --clock 45, a dt of 1.1 ms, {others}"
    for change in ({"dt": 0.18}, {"dt": 0.3, "lanes": 4}):
        net = layered(change["dt"])
        design(net, net.fixed(), BOARDS["icebreaker"], lanes=change.get("lanes"))
    net = layered(0.1)
    design(net, net.fixed(), BOARDS["icebreaker"].with_clock(22e6))


def hint_of_memories(net, device, lanes=None):
    with pytest.raises(DoesNotFit) as caught:
        network_hardware(net.fixed(), DEVICES[device], lanes=lanes)
    return caught.value.hint


def test_what_does_not_fit_says_what_takes_the_room_and_where_there_is_more():
    neurons = Network.of(Population(LIF(), 20_000))
    hint = hint_of_memories(neurons, "up5k")
    assert "hold the states of 20,000 neurons" in hint
    assert "weight" not in hint
    assert "or a larger device: ulx3s_85f" in hint
    hint = hint_of_memories(layered(inputs=500, hidden=100), "hx1k")
    assert hint.startswith("its 51,000 weights take 408,000 bits: use fewer bits a weight")
    hint = hint_of_memories(layered(), "up5k", lanes=64)
    assert hint == "it has room for 8 lanes: --lanes 8, or leave that out"
    assert network_hardware(layered().fixed(), DEVICES["up5k"]).plan.lanes == 8


# -- what is given --------------------------------------------------------------------------------
def test_a_stimulus_is_looked_at_before_a_board_is_made(tmp_path, capsys, nothing_is_made):
    file = tmp_path / "net.py"
    file.write_text(
        "import numpy as np\nfrom scneuro import LIF, Network\nfrom scneuro.network import Dense\n"
        "net = Network('net')\nnet.input('x', 3)\nnet.population('out', LIF(), 2)\n"
        "net.connect('x', 'out', Dense(np.ones((2, 3))))\n"
    )
    given = tmp_path / "given.npy"
    on = [*ON, "--stimulus", str(given)]
    for array, target, words in [
        (np.full(5, np.nan), "lif", "nan at index (0,); it must be finite"),
        (np.full(5, 1e6), "lif", "I = 1e+06 nA does not fit Q8.8"),
        (np.array(["a"]), "lif", "must be numbers"),
        (np.zeros((5, 2)), "lif", "2 columns for 1 input"),
        (np.zeros((5, 4)), f"{file}:net", "x must have shape (T, 3)"),
        (np.zeros((5, 2, 3)), f"{file}:net", "a board does one run at a time"),
        (np.full((5, 3), 0.5), f"{file}:net", "x must be spikes, whole numbers"),
        (np.full((5, 3), np.nan), f"{file}:net", "it must be finite"),
    ]:
        np.save(given, array)
        assert words in refused(capsys, "run", target, *on)
    for command in ("run", "live"):
        assert "nan" in refused(capsys, command, "lif", *ON, "--current", "nan")
        assert "does not fit Q8.8" in refused(capsys, command, "lif", *ON, "--current", "1e6")
    error = refused(capsys, "run", "lif", *ON, "--init", "V=1e6")
    assert error.startswith("scneuro: LIF: V starts at 1e+06")
    many = ["lif", "--neurons", "3"]
    np.save(given, np.full((5, 3), 1e6))
    assert "does not fit Q8.8" in refused(capsys, "run", *many, *on)


# -- where it goes --------------------------------------------------------------------------------
def outputs(place):
    """The commands that write, each to a folder or a file that it is given."""
    few = ["--steps", "20"]
    return {
        "simulate": ["simulate", "lif", *few, "-o", f"{place}.npz"],
        "draw": ["simulate", "lif", *few, "--plot", f"{place}.png"],
        "plot": ["plot", "lif", *few, "-o", f"{place}.png"],
        "export": ["export", "lif", *few, "--verilog", str(place)],
        "run": ["run", *LEAKY, *ON, *few, "-o", f"{place}.npz"],
        "build": ["build", "lif", "--board", "icebreaker", "-o", str(place)],
        "live": ["live", *LEAKY, *ON, "--plot", *few, "-o", f"{place}.png"],
        "record": ["live", *LEAKY, *ON, "--folder", str(place)],
        "parity": ["parity", "lif", *few, "--vcd", f"{place}.vcd"],
    }


@pytest.mark.parametrize("command", outputs(""))
def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    command, tmp_path, capsys, nothing_is_made
):
    (tmp_path / "file").write_text("not a folder")
    error = refused(capsys, *outputs(tmp_path / "file" / "out")[command])
    assert f"cannot write {tmp_path / 'file'}" in error
    assert "Not a directory" in error
    assert error.endswith("\n  choose another place\n")


@pytest.mark.parametrize("command", ["simulate", "run"])
def test_a_file_without_a_name_is_no_place(command, capsys, nothing_is_made):
    arguments = outputs("x")[command]
    assert "-o : name a .npz file" in refused(capsys, *arguments[:-1], "")


@pytest.mark.parametrize("command", ["export", "build"])
def test_a_file_is_no_folder(command, tmp_path, capsys):
    (tmp_path / "file").write_text("not a folder")
    error = refused(capsys, *outputs(tmp_path / "file")[command])
    assert error.endswith("File exists\n  name a folder, not a file\n")


@pytest.mark.parametrize("command", ["simulate", "draw", "plot"])
def test_folders_that_miss_are_made(command, tmp_path):
    place = tmp_path / "a" / "b" / "out"
    assert cli.main(outputs(place)[command]) == 0
    assert place.parent.is_dir()


# -- what ends before its end ---------------------------------------------------------------------
def ends(monkeypatch, error, after):
    """Let a simulated port fail once so many requests were sent."""
    write, sent = SimulatedPort.write, []

    def broken(self, content):
        sent.append(len(content))
        if len(sent) == after:
            raise error
        write(self, content)

    monkeypatch.setattr(SimulatedPort, "write", broken)


@pytest.mark.compiler
@pytest.mark.parametrize(
    ("way", "target"),
    few(
        itertools.product(("Ctrl-C", "link"), ("neuron", "network")),
        lambda case: case == ("Ctrl-C", "neuron"),
    ),
)
def test_a_run_that_ends_early_saves_what_it_has_and_says_that_it_is_a_part(
    way, target, tmp_path, capsys, monkeypatch
):
    common = [*LEAKY, *ON, "--steps", "40", "--current", "30"]
    if target == "network":
        file = tmp_path / "own.py"
        file.write_text("from scneuro import LIF, Network\nnet = Network.of(LIF(tau_m=1.0))\n")
        common = [f"{file}:net", *ON, "--steps", "40", "--input", "I=30"]
    whole, some = tmp_path / "whole.npz", tmp_path / "new" / "part.npz"
    assert cli.main(["run", *common, "-o", str(whole)]) == 0
    assert "part" not in capsys.readouterr().out
    error = KeyboardInterrupt() if way == "Ctrl-C" else LinkError("simulated: the board is gone")
    ends(monkeypatch, error, 100)
    assert cli.main(["run", *common, "-o", str(some), "--json"]) == 2
    out, said = capsys.readouterr()
    assert ("interrupted" if way == "Ctrl-C" else "of 40 steps were complete") in said
    figures = json.loads(out)
    steps = figures["part"]["steps"]
    assert figures["part"]["of"] == 40
    assert figures["steps"] == steps
    if target == "network":
        assert figures["inputs"][0]["sum"] == 30 * steps
    assert 0 < steps < 40
    found, expected = np.load(some), np.load(whole)
    assert set(found) == set(expected)
    for name in expected:
        assert np.array_equal(found[name], expected[name][:steps])


@pytest.mark.compiler
def test_a_part_says_so_in_words_and_nothing_is_no_part(tmp_path, capsys, monkeypatch):
    common = ["run", *LEAKY, *ON, "--steps", "40", "--current", "30"]
    file = tmp_path / "x.npz"
    with monkeypatch.context() as patch:
        ends(patch, KeyboardInterrupt(), 100)
        assert cli.main(common) == 2
    out, error = capsys.readouterr()
    assert out.splitlines()[-1].startswith("  this is a part: ")
    assert out.splitlines()[-1].endswith(" of 40 steps")
    assert "scneuro: interrupted" in error
    ends(monkeypatch, KeyboardInterrupt(), 8)
    assert cli.main([*common, "-o", str(file)]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert not file.exists()


@pytest.mark.slow
@pytest.mark.compiler
def test_neurons_with_parameters_of_their_own_run_on_a_board(tmp_path, capsys):
    population = [
        "lif",
        "--neurons",
        "3",
        "--vary",
        "tau_m=1:2",
        "--steps",
        "30",
        "--current",
        "30",
    ]
    files = tmp_path / "board.npz", tmp_path / "fixed.npz"
    assert cli.main(["run", *population, *ON, "-o", str(files[0])]) == 0
    assert cli.main(["simulate", *population, "--backend", "fixed", "-o", str(files[1])]) == 0
    found, expected = map(np.load, files)
    assert set(found) == set(expected) == {"t", "spike", "V", "I"}
    for name in expected:
        assert np.array_equal(found[name], expected[name])
    assert found["spike"].any()


FILE = """
import numpy as np
from scneuro import LIF, Network
from scneuro.network import Dense

net = Network("net")
net.input("x", 2)
net.population("out", LIF(), 1)
net.connect("x", "out", Dense(np.ones((1, 2))))
other = net

def fails():
    return Network("n").connect("x", "out", Dense(np.ones((1, 2))))

def needs(size):
    return net
"""


def test_a_file_of_networks_says_what_it_has_and_how_it_fails(tmp_path, capsys):
    file = tmp_path / "net.py"
    file.write_text(FILE)
    error = refused(capsys, "show", f"{file}:nett")
    assert "has no neuron or network 'nett'; it has net, other" in error
    assert "did you mean net?" in error
    error = refused(capsys, "show", f"{file}:fails")
    assert "fails() fails: ValueError: n has no node 'x'" in error
    assert "try it in Python, fails()" in error
    assert "takes no arguments" in refused(capsys, "show", f"{file}:needs")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (np.full((4, 2), 7), "x must be spikes, whole numbers from 0 to 1, and is 7 in step 0"),
        (np.zeros((0, 2)), "has shape (0, 2): there is nothing in it"),
        (np.array([{}, {}]), "is no stimulus: it holds Python's objects, not numbers"),
    ],
)
def test_a_stimulus_that_a_network_of_ones_own_does_not_take(tmp_path, capsys, content, said):
    file = tmp_path / "net.py"
    file.write_text(FILE)
    np.save(tmp_path / "x.npy", content, allow_pickle=True)
    error = refused(capsys, "simulate", f"{file}:net", "--stimulus", str(tmp_path / "x.npy"))
    assert said in error
    assert "(T,)" not in error
