"""What users get wrong: one line that names it and where, exit code 2, and the way out."""

import re

import numpy as np
import pytest
from checks import check_one_step

from scneuro import LIF, AdEx, Input, LoweringError, Neuron, State, TraceError, UpdateError, cli
from scneuro.load import load_neuron
from scneuro.plot import plot_trace
from scneuro.sim import parity, vector_parity
from scneuro.sim.proof import prove

LEAKY = """import numpy as np
from scneuro import Input, Neuron, State
class Leaky(Neuron):
    tau: float = 10.0
    V = State(unit="mV")
    I = Input(unit="mV")
    currents = (25.0, 20.0)
    {declared}
    def update(self, V, I):
        V = V + self.dt / self.tau * (I - V)
        {body}
"""
GOOD = "return V >= 15.0, np.where(V >= 15.0, 0.0, V)"


@pytest.fixture
def leaky(tmp_path):
    """Writes a neuron's file, with what is wrong in it; returns its path."""

    def write(body=GOOD, declared=""):
        path = tmp_path / "leaky.py"
        path.write_text(LEAKY.format(body=body, declared=declared))
        return path

    return write


@pytest.fixture
def refused(capsys):
    """The message of a command that must exit with 2 and say so in a line and a way out."""

    def run(*arguments):
        try:
            code = cli.main([str(a) for a in arguments])
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        assert code == 2
        assert out == ""
        assert "Traceback" not in err
        assert len(err.strip().splitlines()) <= 2
        return err

    return run


@pytest.fixture
def answered(capsys):
    """What a command prints that must exit with 0."""

    def run(*arguments):
        code = cli.main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        assert code == 0, err
        return out

    return run


# -- the user's own exceptions --------------------------------------------------------------------
RAISED = {
    "NameError: name 'nowhere' is not defined": "return V >= 0, nowhere",
    "KeyError: 'a'": "return V >= 0, {}['a']".replace("{}", "dict()"),
    "ZeroDivisionError: division by zero": "return V >= 0, 1 / 0",
    "RecursionError: maximum recursion depth": "return self.update(V, I)",
    "AssertionError": "assert False",
    "AttributeError: Leaky has no attribute 'tauu'": "return V >= 0, self.tauu * V",
    "IndexError: list index out of range": "return V >= 0, [][1]",
    "ModuleNotFoundError: No module named 'nothing_like_it'": "import nothing_like_it",
    "ValueError: mine": "raise ValueError('mine')",
}


@pytest.mark.parametrize("command", [["simulate", "--steps", "10"], ["show"]])
@pytest.mark.parametrize("words", RAISED)
def test_an_exception_in_update_is_named_with_its_line(leaky, refused, command, words):
    path = leaky(RAISED[words])
    error = refused(command[0], path, *command[1:])
    assert words in error
    line = 11 if "Recursion" not in words else 10
    assert f"{path}:{line}" in error or f"{path}:11" in error


def test_in_python_the_users_exception_is_the_cause():
    class Broken(LIF):
        def update(self, V, I):
            return V >= 0, {}[V]

    with pytest.raises(UpdateError, match="KeyError") as caught:
        Broken().run(np.ones(3))
    assert isinstance(caught.value.__cause__, KeyError)
    assert __file__ in caught.value.message


def test_an_error_that_is_not_of_tracing_has_no_hint_about_it():
    class Broken(LIF):
        def update(self, V, I):
            return V >= 0, V + nowhere  # noqa: F821

    with pytest.raises(TraceError, match="NameError") as caught:
        Broken().fixed()
    assert caught.value.hint == ""


RETURNED = {
    "None as its spike flag": ("return None, V", "return a comparison"),
    "None as its V": ("return V >= 0, None", "is a number"),
    "not list": ("return [V >= 0, V]", "return spike, V"),
    "not NoneType": ("V + I", "return spike, V"),
    "not 3 values": ("return V >= 0, I >= 0, V", "a | b"),
    "a tuple as its spike flag": ("return (V >= 0, I >= 0), V", "return a comparison"),
    "'a' as its V": ("return V >= 0, 'a'", "is a number"),
    "ndarray": ("return V >= 0, np.zeros(3)", "a State for each of its elements"),
}


@pytest.mark.parametrize("command", [["simulate", "--steps", "10"], ["show"]])
@pytest.mark.parametrize("words", RETURNED)
def test_what_update_must_not_return_is_refused(leaky, refused, command, words):
    body, cure = RETURNED[words]
    error = refused(command[0], leaky(body), *command[1:])
    assert words in error
    assert cure in error
    assert "leaky.py:9" in error


def test_arguments_in_another_order_than_declared_are_refused():
    class Swapped(LIF):
        def update(self, I, V):
            return V >= 0, V + I

    with pytest.raises(UpdateError, match=r"takes I, V, and would be given V, I") as caught:
        Swapped()
    assert "def update(self, V, I)" in caught.value.hint


@pytest.mark.parametrize("source", ["V, I, x", "V", "v, i", "I, *rest"])
def test_arguments_of_other_names_or_numbers_are_refused(source):
    update = eval(f"lambda self, {source}: (V >= 0, V)")
    with pytest.raises(UpdateError, match="would be given V, I"):
        type("Renamed", (LIF,), {"update": update})()


@pytest.mark.parametrize("source", ["V, I, /", "V, _", "V, _I", "*values", "V, *rest", "V, I, x=1"])
def test_arguments_may_be_unused_or_gathered(source):
    update = eval(f"lambda self, {source}: (True, 0.0)")
    assert type("Gathered", (LIF,), {"update": update})().step(I=1.0) == (1, 0.0)


# -- declarations ---------------------------------------------------------------------------------
DECLARED = {
    "currents must be a tuple of numbers": ["currents = ()", "currents = 25.0"],
    "currents must be numbers": ["currents = ('a',)", "currents = None"],
    "currents is nan": ["currents = (1.0, np.nan)"],
    "constraints must be a tuple of texts: ('tau > 0',)": ["constraints = 'tau > 0'"],
    "the constraint 'tauu > 0' fails: NameError": ["constraints = ('tauu > 0',)"],
    "the constraint 'tau >' fails: SyntaxError": ["constraints = ('tau >',)"],
    "must be a whole number, 0 to 24": ["V = State(guard=60)", "V = State(guard='8')"],
    "(range=...) must be two numbers, (low, high)": [
        "V = State(range=5)",
        "I = Input(range=5)",
        "V = State(range='ab')",
    ],
    "must be (low, high) with low < high": [
        "V = State(range=(5, -5))",
        "V = State(range=(np.nan, 1.0))",
    ],
    "a vector is a State for each of its elements": [
        "V = State(init=np.zeros(3))",
        "V = State(init=[1.0, 2.0])",
    ],
    "must be a number, a parameter's name or a function": ["V = State(init=None)"],
    "word must be 'Qm.n'": ["V = State(word='Q9.9')"],
    "(word=...) must be text": ["V = State(word=8)"],
    "must be a positive number of LSB": ["V = State(budget=-1)", "V = State(budget=np.inf)"],
    "(default=...) must be a finite number": ["I = Input(default='x')"],
    "initial V raises AttributeError": ["V = State(init=lambda n: n.nothing)"],
}


@pytest.mark.parametrize(
    ("words", "declared"), [(words, d) for words, cases in DECLARED.items() for d in cases]
)
def test_a_declaration_that_is_none_is_refused(leaky, refused, words, declared):
    assert words in refused("simulate", leaky(declared=declared), "--steps", 10)


def test_a_neuron_without_an_input_is_told_how_to_write_it():
    with pytest.raises(TypeError, match="driven by nothing declares an Input that it does not use"):
        type("Alone", (Neuron,), {"V": State(), "update": lambda self, V: (V > 0, V)})()


class Clock(Neuron):
    """Driven by nothing."""

    V = State(unit="mV")
    I = Input()

    def update(self, V, I):
        V = V + 0.25
        return V >= 15.0, np.where(V >= 15.0, 0.0, V)


def test_a_neuron_whose_input_is_not_used_runs_in_gates():
    report = parity(Clock(), np.zeros(200))
    assert report.ok
    assert report.spikes == {"float": 3, "fixed": 3}


# -- whole numbers --------------------------------------------------------------------------------
class SubSteps(Neuron):
    n_sub: int = 4
    more = 2
    tau: float = 10
    fast: bool = True
    V = State(unit="mV")
    I = Input(unit="mV")
    currents = (25.0,)

    def update(self, V, I):
        for _ in range(self.n_sub * self.more):
            V = V + self.dt / self.n_sub / self.tau * np.where(self.fast, I - V, 0.0)
        return V >= 15.0, np.where(V >= 15.0, 0.0, V)


def test_whole_number_parameters_stay_whole():
    neuron = SubSteps()
    assert neuron.parameters == {"n_sub": 4, "tau": 10.0, "fast": True, "dt": 0.1, "more": 2}
    assert (type(neuron.n_sub), type(neuron.more), type(neuron.tau)) == (int, int, float)
    assert type(neuron.fast) is bool
    assert SubSteps(n_sub=2.0) == SubSteps(n_sub=2)
    assert SubSteps(more=2.5).more == 2.5
    with pytest.raises(ValueError, match=r"n_sub must be a whole number, not 2\.5"):
        SubSteps(n_sub=2.5)
    assert neuron.run(np.full(100, 25.0)).spikes == neuron.fixed().run(np.full(100, 25.0)).spikes


def test_a_whole_number_is_set_from_the_command_line(tmp_path, answered, leaky):
    path = leaky("for _ in range(self.n): V = V + 1\n        " + GOOD, "n = 2")
    assert "2 spikes" in answered("simulate", path, "--set", "n=3", "--steps", 10)


# -- options and arguments ------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["simulate", "lif", "--steps", "99999999999999"], "--steps must be at most"),
        (["parity", "lif", "--steps", "99999999999999"], "--steps must be at most"),
        (["plot", "lif", "--steps", "99999999999999", "-o", "x.png"], "--steps must be at most"),
        (["demo", "--steps", "0"], "--steps must be at least 1"),
        (["prove", "lif", "--timeout", "-1"], "timeout must be a positive number of seconds"),
        (["prove", "lif", "--timeout", "0"], "timeout must be a positive number of seconds"),
        (["prove", "lif", "--timeout", "nan"], "timeout must be a positive number of seconds"),
        (["prove", "lif", "--timeout", "inf"], "timeout must be a positive number of seconds"),
        (["reference", "lif", "--duration", "1e300"], "at most 1,000,000 steps"),
        (["simulate", "lif", "--current", "-inf"], "must be finite"),
        (["simulate", "adexx"], "did you mean adex?"),
        (["simulate", "hodgkin-huxly"], "did you mean hodgkin_huxley?"),
    ],
)
def test_odd_options_are_one_line(refused, arguments, words):
    assert words in refused(*arguments)


def test_too_little_memory_is_one_line(refused, monkeypatch):
    def full(*_, **__):
        raise MemoryError("Unable to allocate 728. TiB")

    monkeypatch.setattr(np, "full", full)
    error = refused("simulate", "lif", "--steps", 5)
    assert "not enough memory: Unable to allocate 728. TiB" in error
    assert "--steps" in error


@pytest.mark.parametrize("current", ["-5e1", "-.5e2", "-50", "-5.e+1"])
def test_a_negative_current_is_no_option(answered, current):
    both = [answered("simulate", "lif", "--steps", 50, *a) for a in
            (["--current", current], ["--current=-50"])]  # fmt: skip
    assert both[0] == both[1]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: parity(LIF), r"parity\(\) takes a neuron, and LIF is its class: write LIF\(\)"),
        (lambda: parity("lif"), r"parity\(\) takes a neuron, not str"),
        (lambda: plot_trace(LIF, "x.png"), r"write LIF\(\)"),
        (lambda: prove(LIF()), r"prove\(\) takes an integer model, such as neuron\.fixed\(\)"),
        (lambda: vector_parity(LIF), "takes an integer model"),
    ],
)
def test_a_class_in_the_place_of_a_neuron_is_refused(call, words):
    with pytest.raises(TypeError, match=words):
        call()


# -- which neuron ---------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["adex", "AdEx", "ADEX", "Ad_Ex"])
def test_a_built_in_neuron_answers_to_its_class_too(name):
    assert load_neuron(name) is AdEx


@pytest.mark.parametrize("name", ["SCAdExNeuron", "ConductanceLIF", "conductance_lif", "sc_adex"])
def test_so_do_all(name):
    assert load_neuron(name).__name__.lower().startswith(name.replace("_", "").lower())


def test_a_file_with_one_neuron_needs_no_class(leaky, answered, refused):
    path = leaky()
    assert "Leaky (float)" in answered("simulate", path, "--steps", 10)
    path.write_text(path.read_text() + "class Other(Leaky):\n    pass\n")
    error = refused("simulate", path, "--steps", 10)
    assert "2 neurons" in error
    assert "Leaky, Other" in error
    assert "did you mean Leaky?" in refused("simulate", f"{path}:Leeky")


def test_a_neuron_may_import_what_is_next_to_it(tmp_path, answered):
    for folder, tau in (("one", 5.0), ("two", 50.0)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "numbers_of_mine.py").write_text(f"TAU = {tau}\n")
        text = LEAKY.format(body=GOOD, declared="tau: float = numbers_of_mine.TAU")
        (tmp_path / folder / "leaky.py").write_text("import numbers_of_mine\n" + text)
    taus = [load_neuron(str(tmp_path / f / "leaky.py"))().tau for f in ("one", "two", "one")]
    assert taus == [5.0, 50.0, 5.0]


def test_a_file_that_fails_is_named_by_its_line(tmp_path, refused):
    path = tmp_path / "broken.py"
    path.write_text("x = 1\ny = x + nowhere\n")
    error = refused("show", path)
    assert f"NameError: name 'nowhere' is not defined ({path}:2: y = x + nowhere)" in error
    path.write_text("import sys\nsys.exit(3)\n")
    assert "__name__ == '__main__'" in refused("show", path)
    path.write_text("def f(:\n")
    assert f"({path}:1: def f(:)" in refused("show", path)


# -- what cannot be represented -------------------------------------------------------------------
class Two(Neuron):
    V = State()
    w = State()
    I = Input()
    currents = (1.0, 2.0)

    def update(self, V, w, I):
        return V > 5, 0.9 * V + self.part(V, w), 0.9 * w + I


REFUSED = {
    "log((V - 3)) is nan where V = -128": (
        lambda V, w: np.log(V - 3),
        "np.maximum, or by V = State(range=(low, high))",
    ),
    "sqrt((V * w)) is nan where V*w = ": (
        lambda V, w: np.sqrt(V * w),
        "V = State(range=(low, high)), w = State(range=(low, high))",
    ),
    "is inf where V = -40, which can occur": (
        lambda V, w: w * (V + 40) / (1 - np.exp(-(V + 40) / 10)),
        "bracket the quotient: w * (x / -np.expm1(-x))",
    ),
    "is (1 / (V + w))": (lambda V, w: 1 / (V + w), "narrow V and w with State(range=(low, high))"),
    "division by zero": (lambda V, w: w / (V - V), ""),
    "V is set to -300, outside its range": (
        lambda V, w: np.where(V > 5, -300.0 - 0.9 * V, w),
        'State(word="Q10.6")',
    ),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_represented_is_named_by_the_users_expression_and_line(words):
    part, cure = REFUSED[words]
    kind = type("Refused", (Two,), {"part": lambda self, V, w: part(V, w)})
    if "set to" in words:
        kind = type("Refused", (Two,), {"update": set_too_low})
    with pytest.raises(LoweringError) as caught:
        kind().fixed()
    message, hint = caught.value.message, caught.value.hint
    assert words in message
    assert cure in hint
    assert "np.clip" not in hint
    line = set_too_low if "set to" in words else part
    first = line.__code__.co_firstlineno
    assert any(message.startswith(f"{__file__}:{n}: ") for n in range(first, first + 4)), message
    assert not re.search(r"\b(add|mul|shr|mux|scale)_\d", message)


def set_too_low(self, V, w, I):
    return V > 5, np.where(V > 5, -300.0, 0.9 * V), 0.9 * w + I


def test_a_value_too_wide_for_the_datapath_is_named_by_the_users_line():
    kind = type("Wide", (Two,), {"part": lambda self, V, w: (V * w) ** 20 * (w - V) ** 15})
    with pytest.raises(LoweringError) as caught:
        kind().fixed()
    assert caught.value.message.startswith(f"{__file__}:")
    assert not re.search(r"\b(add|mul|shr|mux|scale)_\d", str(caught.value))


def test_the_cures_that_a_refusal_names_help():
    class Steep(Neuron):
        V = State()
        w = State()
        I = Input()
        currents = (0.5,)

        def update(self, V, w, I):
            dV = 50 * (V - V**3 / 3 - w + I)
            return V > 1, V + dV, w + 0.1 * (V + 0.7 - 0.8 * w)

    with pytest.raises(LoweringError, match=r"most of it, .* LSB, is V\*\*3") as caught:
        Steep().fixed()
    assert "narrow V with State(range=" in caught.value.hint
    (budget,) = re.findall(r"State\((budget=[^)]*)\)", caught.value.hint)
    for cure in (budget, "range=(-2.5, 2.5)"):
        cured = type("Cured", (Steep,), {"V": eval(f"State({cure})")})
        assert check_one_step(cured()) > 0.9


class Linoid(Two):
    """x / (1 - exp(-x)) of a sum: its pole and its zero are at the same place."""

    def part(self, V, w):
        x = (V - w) / 4 + 0.03
        return 0.01 * x / -np.expm1(-x) + 0.1 * np.sin(x) / np.cosh(x)


def test_a_quotient_of_functions_of_one_sum_is_one_table():
    assert len(Linoid().fixed().lowered.tables) == 2
    assert check_one_step(Linoid()) > 0.9
