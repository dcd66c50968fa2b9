"""The command line: what it prints, what it returns, and what it says of bad input."""

import inspect
import json
import os
import pkgutil
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from scneuro import cli
from scneuro.neurons import builtin, builtins


def run(capsys, *arguments):
    """(exit code, standard output, standard error) of a command."""
    try:
        code = cli.main([str(a) for a in arguments])
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def refused(capsys, *arguments):
    """The one-line error of a command that must exit with 2 and print nothing else."""
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    return err


@pytest.fixture
def own_neuron(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import numpy as np\n"
        "from scneuro import Input, Neuron, State\n"
        "class Mine(Neuron):\n"
        "    tau: float = 8.0\n"
        "    V = State(unit='mV')\n"
        "    I = Input(unit='mV')\n"
        "    currents = (20.0,)\n"
        "    def update(self, V, I):\n"
        "        V = V + self.dt / self.tau * (I - V)\n"
        "        return V >= 10.0, np.where(V >= 10.0, 0.0, V)\n"
    )
    return path


def test_every_command_is_a_file_and_is_in_the_help(capsys):
    files = {module.name for module in pkgutil.iter_modules(cli.__path__)}
    files -= {"options", "complete", "network"}
    assert files == set(cli._COMMANDS)
    code, out, _ = run(capsys, "--help")
    assert code == 0
    listed = re.findall(r"^    (\w+)", out, re.M)
    assert listed == list(cli._COMMANDS)
    for name in files:
        assert f"scneuro {name}" in run(capsys, name, "--help")[1]


def test_list_names_the_neurons_and_boards(capsys):
    code, out, _ = run(capsys, "list", "--json")
    assert code == 0
    listed = json.loads(out)
    assert listed["neurons"] == {
        name: inspect.getdoc(builtin(name)).splitlines()[0] for name in builtins()
    }
    assert {"lif", "izhikevich", "adex"} <= set(listed["neurons"])
    assert {"icebreaker", "ice40_hx8k_b_evn", "ulx3s_85f"} <= set(listed["boards"])
    assert "lif" in run(capsys, "list")[1]


@pytest.mark.parametrize("name", ["lif", "izhikevich", "adex"])
def test_show_prints_equations_formats_tables_and_latency(capsys, name):
    code, text, _ = run(capsys, "show", name)
    assert code == 0
    figures = json.loads(run(capsys, "show", name, "--json")[1])
    assert figures["latency_clocks"]["single"] > 0
    for state in figures["states"]:
        assert state["name"] in figures["updates"]
        assert state["word"] in text
    assert all(abs(c["relative_error"]) < 2**-16 for c in figures["coefficients"])
    for table in figures["tables"]:
        assert 0 < table["max_error"] <= table["budget"]
    assert ("= exp(" in text) == (name == "adex")


@pytest.mark.parametrize("backend", ["float", "fixed", "amaranth"])
def test_simulate_agrees_between_backends(capsys, backend):
    code, out, _ = run(capsys, "simulate", "lif", "--backend", backend, "--steps", 400, "--json")
    assert code == 0
    figures = json.loads(out)
    # R I = 25 mV drives V towards -45 mV: the threshold is passed after tau ln(25/5) = 16.1 ms,
    # and again every tau ln(20/5) = 13.9 ms; explicit Euler is within a step of either
    assert figures["spike_times_ms"] == pytest.approx([16.1, 30.0], abs=0.2)
    assert figures["spikes"] == 2


def test_simulate_takes_a_stimulus_file_and_saves_traces_and_a_plot(capsys, tmp_path):
    current = np.linspace(0, 5, 300)
    np.save(tmp_path / "i.npy", current)
    np.savetxt(tmp_path / "i.csv", current)
    for suffix in ("npy", "csv"):
        code, _, _ = run(
            capsys,
            "simulate",
            "lif",
            "--stimulus",
            tmp_path / f"i.{suffix}",
            "-o",
            tmp_path / "t.npz",
            "--plot",
            tmp_path / "p.png",
        )
        assert code == 0
        saved = np.load(tmp_path / "t.npz")
        assert saved["I"] == pytest.approx(current)
        assert saved["V"].shape == saved["spike"].shape == saved["t"].shape == (300,)
        assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["i.csv", "i.npy", "p.png", "t.npz"]


def test_a_neuron_of_ones_own_is_named_by_file_and_class(capsys, own_neuron):
    code, out, _ = run(
        capsys, "parity", f"{own_neuron}:Mine", "--steps", 300, "--set", "tau=9", "--json"
    )
    assert code == 0
    figures = json.loads(out)
    assert figures["neuron"] == "Mine"
    assert figures["bit_exact"] is True
    assert figures["first_mismatch"] is None
    assert figures["step_error_lsb"]["max"] <= figures["step_error_lsb"]["bound"]
    assert set(figures["spikes"]) == {"float", "fixed"}
    assert set(figures["spike_time_error_steps"]) == {"max", "mean"}
    assert figures["coincidence"] == 1.0
    assert figures["formats"]["V"] == "Q8.8+8"


def test_parity_prints_the_three_levels(capsys):
    code, out, _ = run(capsys, "parity", "izhikevich", "--preset", "FS", "--steps", 200)
    assert code == 0
    assert [word in out for word in ("bit ", "step ", "trace ")] == [True] * 3


def test_parity_returns_1_when_the_check_fails(capsys, own_neuron, tmp_path):
    text = own_neuron.read_text() + (
        "    def hardware(self, fixed):\n"
        "        from scneuro.hdl import Neuron as Gates\n"
        "        other = type(self)(tau=self.tau * 1.01).fixed()\n"
        "        return Gates(other)\n"
    )
    own_neuron.write_text(text)
    code, out, _ = run(
        capsys, "parity", f"{own_neuron}:Mine", "--steps", 300, "--vcd", tmp_path / "bad.vcd"
    )
    assert code == 1
    assert "FAIL" in out
    assert "differs" in out
    assert (tmp_path / "bad.vcd").stat().st_size > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["simulate", "lif", "--current", "nan"], ["current", "nan", "finite"]),
        (["simulate", "lif", "--current", "inf"], ["current", "inf", "finite"]),
        (["simulate", "lif", "--backend", "fixed", "--current", "200"], ["I = 200", "Q8.8"]),
        (["parity", "lif", "--current", "200"], ["I = 200", "Q8.8"]),
        (["simulate", "lif", "--steps", "0"], ["--steps", "at least 1"]),
        (["simulate", "lif", "-o", "x.txt"], [".npz"]),
        (["simulate", "hodgkin"], ["no neuron 'hodgkin'", "there are adex, ", "izhikevich, lif"]),
        (["show", "missing.py:X"], ["no file missing.py"]),
        (["build", "lif", "--board", "papilio", "-o", "x"], ["no board 'papilio'", "icebreaker"]),
        (["show", "lif", "--set", "tau=1"], ["no parameter 'tau'", "tau_m"]),
        (["show", "lif", "--set", "tau_m=abc"], ["name=value"]),
        (["show", "lif", "--set", "tau_m"], ["name=value"]),
        (["show", "lif", "--set", "tau_m=0"], ["tau_m > 0", "tau_m = 0"]),
        (["show", "lif", "--set", "tau_m=nan"], ["tau_m", "nan"]),
        (["show", "adex", "--set", "V_peak=-80"], ["V_reset < V_peak", "-80"]),
        (["show", "adex", "--set", "tau_w=1e9"], ["w would need", "guard bits"]),
        (["show", "izhikevich", "--preset", "XX"], ["no preset 'XX'", "RS"]),
        (["simulate", "lif", "--stimulus", "nothing.npy"], ["nothing.npy", "No such file"]),
        (["frobnicate"], ["invalid choice"]),
        (["build", "lif"], ["--board"]),
    ],
)  # fmt: skip
def test_misuse_is_one_clear_error_and_exit_2(capsys, arguments, words):
    error = refused(capsys, *arguments)
    for word in words:
        assert word in error


def test_stimulus_files_are_checked(capsys, tmp_path):
    cases = {
        "nan.npy": (np.array([1.0, np.nan]), "nan at index (1,)"),
        "matrix.npy": (np.zeros((3, 3, 3)), "shape (3, 3, 3)"),
        "empty.npy": (np.zeros(0), "shape (0,)"),
        "words.npy": (np.array(["a", "b"]), "must be numbers"),
    }
    for name, (array, words) in cases.items():
        np.save(tmp_path / name, array)
        assert words in refused(capsys, "simulate", "lif", "--stimulus", tmp_path / name)
    for name, content, words in (
        ("text.csv", b"one\ntwo\n", "no stimulus"),
        ("corrupt.npy", b"\x93NUMPY\x01", "no stimulus"),
        ("pickled.npy", b"\x80\x04N.", "no stimulus"),
        ("i.wav", b"RIFF", "neither .npy nor .csv"),
    ):
        (tmp_path / name).write_bytes(content)
        assert words in refused(capsys, "simulate", "lif", "--stimulus", tmp_path / name)
    np.save(tmp_path / "short.npy", np.zeros(5))
    error = refused(capsys, "simulate", "lif", "--stimulus", tmp_path / "short.npy", "--steps", 9)
    assert "has 5" in error


def test_files_that_are_no_neuron_are_refused(capsys, tmp_path):
    for name, content, words in (
        ("broken.py", "class X(:\n", "SyntaxError"),
        ("raises.py", "1 / 0\n", "ZeroDivisionError"),
        ("none.py", "x = 1\n", "no neuron 'X'; it has none"),
        ("other.py", "from scneuro import LIF\nclass X: pass\n", "it has none"),
    ):
        (tmp_path / name).write_text(content)
        assert words in refused(capsys, "show", f"{tmp_path / name}:X")


def test_an_untraceable_neuron_is_refused_with_its_line(capsys, own_neuron):
    own_neuron.write_text(
        own_neuron.read_text().replace(
            "        V = V + self.dt / self.tau * (I - V)\n",
            "        if V > 3:\n            V = V + I\n",
        )
    )
    error = refused(capsys, "show", f"{own_neuron}:Mine")
    assert f"{own_neuron}:9" in error
    assert "if V > 3:" in error
    assert "np.where" in error


def test_what_cannot_be_written_leaves_nothing_behind(capsys, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("keep me")
    error = refused(capsys, "simulate", "lif", "--steps", 5, "-o", tmp_path / "file" / "t.npz")
    assert "cannot write" in error

    def full(*_):
        raise OSError(28, "No space left on device")

    (tmp_path / "old.npz").write_text("as it was")
    monkeypatch.setattr(Path, "replace", full)
    error = refused(capsys, "simulate", "lif", "--steps", 5, "-o", tmp_path / "old.npz")
    assert "No space left" in error
    assert "free some space" in error
    assert (tmp_path / "old.npz").read_text() == "as it was"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "old.npz"]


def test_without_matplotlib_a_plot_is_refused_before_the_run(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    error = refused(capsys, "simulate", "lif", "--plot", tmp_path / "p.png")
    assert "scneuro[plots]" in error


def interrupted(command, number, begun):
    """What a command that is sent a signal once it has begun says, and its exit code."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            begun(process)
            process.send_signal(number)
            _, error = process.communicate(timeout=30)
        finally:
            process.kill()
    return process.returncode, error


def test_an_interrupted_compiled_run_exits_with_2_and_one_line(tmp_path, command_line):
    def begun(process):
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=3)

    arguments = ["simulate", "lif", "--steps", "5000000", "-o", str(tmp_path / "t.npz")]
    code, error = interrupted([*command_line, *arguments], signal.SIGINT, begun)
    assert code == 2
    assert "interrupted" in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_exits_with_2_and_one_line(tmp_path, command_line, number):
    (tmp_path / "own.py").write_text(
        "import time\nfrom pathlib import Path\nfrom scneuro import LIF\n\ncalls = []\n\n\n"
        "class Slow(LIF):\n    def update(self, V, I):\n        calls.append(1)\n"
        "        if len(calls) == 200:\n"
        f"            Path({str(tmp_path / 'begun')!r}).touch()\n            time.sleep(60)\n"
        "        return super().update(V, I)\n"
    )

    def begun(process):
        while not (tmp_path / "begun").exists():
            assert process.poll() is None
            time.sleep(0.01)

    arguments = ["simulate", f"{tmp_path / 'own.py'}:Slow", "--steps", "400"]
    code, error = interrupted(
        [*command_line, *arguments, "-o", str(tmp_path / "t.npz")], number, begun
    )
    assert code == 2
    assert "interrupted" in error
    assert "Traceback" not in error
    assert {path.name for path in tmp_path.iterdir()} <= {"own.py", "begun", "__pycache__"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "lif", "--steps", "5", "-o", "{}/t.npz"],
        ["simulate", "lif", "--steps", "5", "--plot", "{}/t.png"],
        ["plot", "lif", "--steps", "5", "-o", "{}/t.png"],
        ["plot", "adex", "--kind", "phase", "-o", "{}/t.png"],
        ["parity", "lif", "--steps", "5", "--vcd", "{}/t.vcd"],
    ],
)
@pytest.mark.parametrize("way", ["file", "folder"])
def test_an_output_path_is_checked_before_the_run(capsys, tmp_path, monkeypatch, arguments, way):
    def run(*_, **__):
        raise AssertionError("it ran")

    monkeypatch.setattr("scneuro.neuron.Neuron.run", run)
    monkeypatch.setattr("scneuro.neuron.Neuron.fixed", run)
    if way == "file":
        (tmp_path / "file").write_text("keep me")
        folder, reason = tmp_path / "file" / "deeper", "Not a directory"
    else:
        folder, reason = tmp_path / "folder", "Is a directory"
        for name in ("t.npz", "t.png", "t.vcd"):
            (folder / name).mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    error = refused(capsys, *[a.format(folder) for a in arguments])
    assert "cannot write" in error
    assert reason in error
    assert sorted(tmp_path.rglob("*")) == before


def test_a_proof_out_of_time_exits_with_2_not_1(capsys, monkeypatch):
    from scneuro.sim import proof

    def undecided(fixed, form, **_):
        return proof.Proof(fixed.name, str(form), undecided=["V may differ"])

    monkeypatch.setattr(proof, "prove", undecided)
    code, out, _ = run(capsys, "prove", "lif")
    assert code == 2
    assert "UNDECIDED" in out
    assert "NOT PROVED" not in out


def test_an_ascii_locale_prints_what_it_can(tmp_path):
    folder = tmp_path / "m\u00fc"
    folder.mkdir()
    (folder / "mine.py").write_text(
        "import numpy as np\n"
        "from scneuro import Input, Neuron, State\n"
        "class M\u00fc(Neuron):\n"
        "    V = State(unit='\u00b5V')\n"
        "    I = Input(unit='\u00b5A')\n"
        "    def update(self, V, I):\n"
        "        return V >= 9.0, 0.9 * V + I\n",
        encoding="utf-8",
    )
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    where = os.fsencode(folder / "mine.py")
    for command in ("simulate", "show"):
        done = subprocess.run(
            [sys.executable, "-m", "scneuro", command, where],
            capture_output=True,
            env={**os.environ, **plain},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert b"\\xb5V" in done.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("simulate lif --steps 1e4", "argument --steps: invalid int value: '1e4'"),
        ("nothing", "invalid choice: 'nothing'"),
        ("simulate", "required: NEURON"),
        ("simulate gone.py:X", "there is no file gone.py"),
        ("simulate adex --set a=1e300 --steps 200", "AdEx: V is nan from step 6 on"),
    ],
)
def test_what_is_wrong_is_one_line_with_a_way_out_beneath(capsys, line, said):
    try:
        code = cli.main(line.split())
    except SystemExit as stopped:
        code = stopped.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    message, way_out = err.splitlines()
    assert message.startswith("scneuro")
    assert said in message
    assert way_out.startswith("  ")
