"""What a neuron is made of: it compares, and it travels to other processes."""

import copy
import inspect
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from operator import methodcaller

import numpy as np
import pytest

from scneuro import LIF, AdEx, Channel, Gate, HodgkinHuxley, Izhikevich, Neuron, NoisyLIF
from scneuro.errors import FileTrouble
from scneuro.fixed import FixedNeuron
from scneuro.load import load_neuron, make_neuron
from scneuro.neurons import builtin, builtins
from scneuro.neurons.hodgkin_huxley import leak, m_type, potassium, sodium

MADE = [
    (name, preset) for name in builtins() for preset in (None, *builtin(name).presets)
]  # fmt: skip


def sent(thing):
    """What arrives of what is sent."""
    return pickle.loads(pickle.dumps(thing))


def same_runs(one, other, steps=200):
    current = np.full(steps, one.currents[0]) if isinstance(one, Neuron) else np.full(steps, 2.0)
    first, second = one.run(current), other.run(current)
    assert np.array_equal(first.spike, second.spike)
    for name, values in first.states.items():
        assert np.array_equal(values, second.states[name])


@pytest.mark.parametrize(("name", "preset"), MADE)
def test_every_neuron_and_preset_arrives_as_it_was(name, preset):
    neuron = make_neuron(name, preset=preset)
    assert neuron.spec.preset == preset
    again = sent(neuron)
    assert type(again) is type(neuron)
    assert again == neuron
    assert hash(again) == hash(neuron)
    assert again.spec.preset == preset
    assert again.currents == neuron.currents
    assert again.parameters == neuron.parameters
    same_runs(neuron, again)


@pytest.mark.parametrize("name", builtins())
def test_every_integer_model_arrives_as_it_was(name):
    fixed = builtin(name)().fixed()
    again = sent(fixed)
    assert again.lowered.bounds == fixed.lowered.bounds
    assert again.origin == fixed.origin
    same_runs(fixed, again, 50)


def test_an_integer_model_keeps_its_options():
    neuron = NoisyLIF(sigma=2.0)
    neuron.seed = 7
    fixed = neuron.fixed(rounding="stochastic", guard=6)
    again = sent(fixed)
    assert again.seed == 7
    assert again.lowered.registers["V"].guard == 6
    assert again.lowered.dither == fixed.lowered.dither != []
    same_runs(fixed, again)


@pytest.mark.parametrize("make", [NoisyLIF, lambda: NoisyLIF().fixed()], ids=["float", "fixed"])
@pytest.mark.parametrize("copied", [sent, copy.deepcopy], ids=["pickle", "deepcopy"])
def test_a_run_goes_on_where_it_was(make, copied):
    runner = make()
    runner.seed = 5
    runner.reset()
    for current in (1.0, 2.0, np.array([1.0, 2.0, 3.0])):
        runner.reset()
        for _ in range(20):
            runner.step(current)
        again = copied(runner)
        for _ in range(20):
            assert np.array_equal(again.step(current), runner.step(current))
    assert again.seed == 5


def test_an_integer_model_made_by_hand_is_copied_as_any_object():
    fixed = LIF().fixed()
    own = FixedNeuron("Own", fixed.dt, fixed.input_defaults, fixed.lowered)
    same_runs(copy.deepcopy(own), own, 50)


# -- comparing ------------------------------------------------------------------------------------
def test_neurons_are_equal_if_they_are_made_of_the_same():
    assert LIF() == LIF(10.0) == LIF(tau_m=10)
    assert LIF() != LIF(tau_m=11.0)
    assert LIF.preset("refractory") != LIF(t_ref=2.0)  # it does not know its preset
    assert AdEx() != LIF()
    assert LIF() != "LIF"
    assert HodgkinHuxley() == HodgkinHuxley([sodium, potassium, leak])
    assert HodgkinHuxley() != HodgkinHuxley((sodium, potassium, leak, m_type))
    assert HodgkinHuxley() != HodgkinHuxley((sodium.but(g=100.0), potassium, leak))
    assert len({LIF(), LIF(), LIF(R=5.0), Izhikevich.preset("FS"), Izhikevich.preset("FS")}) == 3


def test_what_a_neuron_has_run_does_not_count_but_its_seed_does():
    neuron, other = NoisyLIF(), NoisyLIF()
    neuron.step(I=2.0)
    assert neuron == other
    other.seed = 2
    assert neuron != other
    assert other.spec.make().seed == 2


def test_a_preset_is_remembered_with_what_overrides_it():
    neuron = Izhikevich.preset("FS", dt=0.05)
    assert neuron.spec.preset == "FS"
    again = neuron.spec.make()
    assert (again.spec, again.dt) == (neuron.spec, 0.05)
    assert Izhikevich(**Izhikevich.presets["FS"]).spec.preset is None


def test_a_neuron_still_tells_how_it_is_made():
    assert list(inspect.signature(LIF).parameters) == ["values", "parameters"]
    assert list(inspect.signature(HodgkinHuxley).parameters) == ["channels", "parameters"]


def test_a_spec_says_where_its_class_is(tmp_path):
    assert LIF().spec.where == "scneuro.neurons.lif:LIF"
    (tmp_path / "mine.py").write_text("from scneuro import LIF\nclass Mine(LIF): pass\n")
    assert load_neuron(f"{tmp_path}/mine.py:Mine")().spec.where == f"{tmp_path}/mine.py:Mine"


# -- channels -------------------------------------------------------------------------------------
def test_channels_arrive_though_their_rates_are_lambdas():
    for channel in (sodium, potassium, leak, m_type, m_type.but(g=0.1)):
        assert sent(channel) == channel
    neuron = HodgkinHuxley((sodium.but(g=100.0), potassium, leak, m_type), C=1.5)
    assert sent(neuron) == neuron
    same_runs(neuron, sent(neuron))


def slowly(V):
    return 0.01 * np.exp(V / 50)


def test_a_gate_whose_rates_have_names_needs_no_variable():
    assert sent(Gate("x", 1, slowly, slowly)) == Gate("x", 1, slowly, slowly)


def test_a_gate_that_no_other_process_could_find_is_refused_by_name():
    gate = Gate("x", 1, lambda V: 0.1 + 0 * V, slowly)
    neuron = HodgkinHuxley((leak, Channel("X", g=1.0, E=-77.0, gates=(gate,))))
    with pytest.raises(pickle.PicklingError, match="gate x has rates without a name"):
        pickle.dumps(neuron)
    assert copy.deepcopy(neuron) == neuron


# -- neurons from files ---------------------------------------------------------------------------
OWN = """
import numpy as np
from scneuro import Channel, Gate, Input, Neuron, Noise, State

q = Gate.relaxing("q", 1, lambda V: 1 / (1 + np.exp(-V / 10)), lambda V: 20.0 + 0 * V)
slow = Channel("slow", g=0.1, E=-80.0, gates=(q,))

class Mine(Neuron):
    tau: float = 8.0
    V = State(unit="mV")
    I = Input(unit="mV")
    xi = Noise()
    currents = (20.0,)
    presets = {"quick": {"tau": 4.0, "currents": (25.0,)}}

    def __init__(self, scale=1.0, **parameters):
        self.scale = scale
        super().__init__(**parameters)

    def update(self, V, I, xi):
        V = V + self.dt / self.tau * (self.scale * I - V) + 0.01 * xi
        return V >= 10.0, np.where(V >= 10.0, 0.0, V)
"""


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(OWN)
    return path


def test_a_neuron_from_a_file_arrives_in_a_process_that_has_never_seen_the_file(own, tmp_path):
    Mine = load_neuron(f"{own}:Mine")
    neuron = Mine.preset("quick", scale=1.25)
    fixed = neuron.fixed()
    for _ in range(30):
        neuron.step(20.0)
    (tmp_path / "sent").write_bytes(pickle.dumps((neuron, fixed)))
    program = (
        "import pickle, sys, numpy as np\n"
        f"neuron, fixed = pickle.load(open({str(tmp_path / 'sent')!r}, 'rb'))\n"
        "print(repr([float(neuron.V), neuron.scale, neuron.spec.preset, neuron.currents]))\n"
        "runs = [r.run(np.full(400, 25.0)) for r in (neuron, fixed)]\n"
        "print(repr([(int(r.spikes), float(r.V[-1])) for r in runs]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd="/", check=True
    )
    first, second = done.stdout.splitlines()
    assert first == repr([float(neuron.V), 1.25, "quick", (25.0,)])
    runs = [r.run(np.full(400, 25.0)) for r in (neuron, fixed)]
    assert second == repr([(int(r.spikes), float(r.V[-1])) for r in runs])


def test_worker_processes_run_neurons_of_all_kinds(own):
    Mine = load_neuron(f"{own}:Mine")
    slow = sys.modules[Mine.__module__].slow
    neurons = [Mine(tau=6.0), Mine().fixed(), HodgkinHuxley((sodium, potassium, leak, slow))]
    run = methodcaller("run", np.full(100, 20.0))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for neuron, recording in zip(neurons, pool.map(run, neurons), strict=True):
            assert np.array_equal(recording.V, run(neuron).V)


def test_a_file_is_run_again_only_if_it_changed(own):
    first = load_neuron(f"{own}:Mine")
    assert load_neuron(f"{own}:Mine") is first
    own.write_text(OWN.replace("8.0", "9.0"))
    second = load_neuron(f"{own}:Mine")
    assert (first().tau, second().tau) == (8.0, 9.0)
    assert sent(second()) == second()
    with pytest.raises(pickle.PicklingError, match=r"mine\.py:Mine is no longer the Mine"):
        pickle.dumps(first())


def test_files_of_one_name_in_two_folders_are_two(own, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.py").write_text(OWN.replace("8.0", "9.0"))
    both = [load_neuron(f"{path}:Mine")() for path in (own, tmp_path / "other" / "mine.py")]
    assert [neuron.tau for neuron in map(sent, both)] == [8.0, 9.0]


def test_a_file_that_is_gone_is_an_error_where_the_neuron_arrives(own, monkeypatch):
    content = pickle.dumps(load_neuron(f"{own}:Mine")())
    own.unlink()
    for name in [name for name in sys.modules if name.startswith("scneuro_user_mine")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(FileTrouble, match=r"there is no file .*mine\.py"):
        pickle.loads(content)


def test_a_class_that_no_other_process_could_find_is_refused_by_name():
    class Local(LIF):
        pass

    neuron = Local()
    with pytest.raises(pickle.PicklingError, match=r"<locals>\.Local is made inside a function"):
        pickle.dumps(neuron)
    assert copy.deepcopy(neuron) == neuron
