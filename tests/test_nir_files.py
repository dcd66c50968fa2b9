"""NIR files that were written are read as they were."""

import itertools

import nir
import numpy as np
import pytest
from checks import few
from nir_graphs import BIAS, IMAGE, NEURONS, cuba_li, full, graph, li, lif, one, quiet, read, spikes

from scneuro import LIF, Network, ScneuroError
from scneuro.errors import FileTrouble
from scneuro.network import Dense, Scale, Sparse
from scneuro.network.nir import neurons, write_nir


def everything():
    """A net with every primitive, and parameters of each neuron's own."""
    rng = np.random.default_rng(8)
    shape = (3, 3, 3)

    def each(low, high):
        return rng.uniform(low, high, shape).astype(np.float32)

    def linear(*size):
        return nir.Linear(rng.normal(0.3, 1, size))

    outputs = {"output": 2, "o2": 2, "o3": 2, "o4": 3, "o5": 2, "o6": 3, "o8": 2, "o9": 4}
    return graph(
        [
            "input conv first pool scale second flat fc rec_lif late rec rec_lif",
            "rec_lif out li output",
            "flat fc3 cli o2",
            "flat fc4 csum cover fc5 if o3",
            "flat fc6 sum over o4",
            "flat fc7 i o5",
            "flat fc8 isum iover o6",
            "line_in line third o7",
            "input sums flat_b fc9 gate o8",
            "rec_lif fc10 o9",
        ],
        **{n: nir.Output(np.array([count])) for n, count in outputs.items()},
        input=nir.Input(np.array(IMAGE)),
        line_in=nir.Input(np.array([2, 4])),
        o7=nir.Output(np.array([2, 4])),
        conv=nir.Conv2d(None, rng.normal(0, 1, (3, 2, 2, 2)), 2, (0, 1), 1, 1, BIAS),
        first=nir.LIF(each(0.01, 0.03), each(1, 2), each(0, 0.1), each(0.1, 0.2), each(-0.1, 0)),
        pool=nir.AvgPool2d(np.array([2, 2]), np.array([1, 1]), np.array([0, 0])),
        scale=nir.Scale(rng.normal(1, 1, (3, 2, 2))),
        second=nir.CubaLIF(
            rng.uniform(0.005, 0.01, (3, 2, 2)),
            rng.uniform(0.005, 0.01, (3, 2, 2)),
            *(np.full((3, 2, 2), v) for v in (2, 0, 0.05, 0, 3.0)),
        ),
        flat=nir.Flatten(None, 0, -1),
        fc=nir.Affine(rng.normal(0, 1, (4, 12)), rng.normal(0, 1, 4)),
        rec_lif=lif(4, theta=0.1),
        late=nir.Delay(np.array([0.002, 0.003, 0.002, 0.0])),
        rec=linear(4, 4),
        out=linear(2, 4),
        li=li(2, 0.07),
        fc3=linear(2, 12),
        cli=cuba_li(2),
        fc4=linear(2, 12),
        csum=cuba_li(2),
        cover=nir.Threshold(full(2, 0.1)),
        fc5=linear(2, 2),
        **{"if": nir.IF(full(2, 300), full(2, 1), full(2, 0))},
        fc6=linear(3, 12),
        sum=nir.LI(rng.uniform(0.01, 0.02, 3), full(3, 1), full(3, 0)),
        over=nir.Threshold(rng.uniform(0.1, 0.2, 3)),
        fc7=linear(2, 12),
        i=nir.I(full(2, 40)),
        fc8=linear(3, 12),
        isum=nir.I(full(3, 100)),
        iover=nir.Threshold(full(3, 1)),
        line=nir.Conv1d(4, rng.normal(0, 1, (2, 2, 2)), 1, "same", 1, 1, BIAS[:2]),
        third=nir.Threshold(np.full((2, 4), 0.3)),
        sums=nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([1, 0])),
        flat_b=nir.Flatten(None, 0, -1),
        fc9=linear(2, 16),
        gate=nir.Threshold(full(2, 0.5)),
        fc10=nir.Affine(rng.normal(0, 1, (4, 4)), full(4, 0.1)),
    )


def same_network(a, b):
    """Whether two networks are made of the same."""
    assert list(a.inputs.values()) == list(b.inputs.values())
    assert {*a.layers} == {*b.layers}
    assert {*a.outputs} == {*b.outputs}
    for name, layer in a.layers.items():
        other = b.layers[name]
        assert layer.shape == other.shape
        assert layer.population.neuron == other.population.neuron, name
        assert {*layer.population.parameters} == {*other.population.parameters}
        for n, values in layer.population.parameters.items():
            assert np.array_equal(values, other.population.parameters[n]), (name, n)

    def projections(net):
        found = []
        for p in net.projections:
            source = net.nodes[p.source].shape
            bias = p.map.biases(source)
            synapses = [x.tobytes() for x in p.map.synapses(source)]
            bias = () if bias is None else tuple(bias.ravel())
            found.append((p.source, p.target, p.to, p.delay, bias, *synapses))
        return sorted(found)

    assert projections(a) == projections(b)


@pytest.mark.parametrize(
    ("method", "reset"),
    few(
        itertools.product(("euler", "exact"), ("value", "subtract")),
        lambda case: case == ("exact", "value"),
        lambda case: case == ("euler", "value"),
    ),
)
def test_what_was_written_is_read_as_it_was(method, reset, tmp_path):
    options = {"method": method, "reset": reset}
    net = read(everything(), **options)
    names = {type(layer.population.neuron).__name__ for layer in net.layers.values()}
    assert names == {cls.__name__ for cls in NEURONS}
    write_nir(net, tmp_path / "a.nir")
    again = read(tmp_path / "a.nir", **options)
    same_network(net, again)
    write_nir(again, tmp_path / "b.nir")
    same_network(net, read(tmp_path / "b.nir", **options))
    given = {"input": spikes(40, 60, 0.5), "line_in": spikes(40, 8, 0.5)}
    first, second = quiet(net, **given), quiet(again, **given)
    assert sum(s.any() for s in first.spike.values()) >= 8
    for name, values in first.arrays().items():
        assert np.allclose(values, second[name], rtol=0, atol=1e-12), name


def test_what_was_written_is_a_file_that_others_read(tmp_path):
    """The package checks the types of all nodes and edges."""
    write_nir(read(everything()), tmp_path / "net.nir")
    found = nir.read(tmp_path / "net.nir")
    kinds = {type(node).__name__ for node in found.nodes.values()}
    assert kinds >= {"CubaLIF", "CubaLI", "LIF", "LI", "IF", "I", "Threshold", "Conv1d", "Conv2d"}
    assert kinds >= {"SumPool2d", "AvgPool2d", "Scale", "Delay", "Flatten", "Affine", "Linear"}
    assert found.nodes["first"].tau.shape == (3, 3, 3)


def test_time_constants_come_back_to_the_last_bit_of_what_a_step_loses():
    tau = np.random.default_rng(9).uniform(0.001, 1, 20_000)
    for exact in (False, True):
        for dt in (0.1, 1.0):
            lost = neurons.decay(tau, dt, exact)
            found = neurons.time_constant(lost, dt, exact)
            assert np.allclose(found, tau, rtol=1e-12)
            assert np.array_equal(neurons.decay(found, dt, exact), lost)


def test_a_network_of_python_is_written_and_read(tmp_path):
    net = Network()
    net.input("x", (2, 2))
    neuron = neurons.NIRLIF(tau=0.01)
    neuron.budget = 0.5  # as where parameters differ
    net.population("a", neuron, 3, parameters={"v_threshold": [0.1, 0.2, 0.3]})
    matrix = np.array([[1.0, 0, 2, 0], [0, 3, 0, 0], [0, 0, 0, 4]])
    target, source = np.nonzero(matrix)
    net.connect("x", "a", Sparse((matrix[target, source], (target, source)), shape=(3, 4)))
    net.connect("a", "a", Dense(-np.eye(3), [0.1, 0, 0]), delay=2)
    net.connect("a", "a", Scale(), delay=1)
    net.connect("x", "a", [Dense(matrix), Scale(0.5)])
    write_nir(net, tmp_path / "net.nir")
    same_network(net, read(tmp_path / "net.nir"))


def test_what_a_file_cannot_say_is_refused_and_nothing_is_written(tmp_path):
    def refused(text, kind=ScneuroError, *, neuron=None, **options):
        net = Network()
        net.input("x", 1)
        net.population("a", neuron or neurons.NIRLIF(), 1, **options)
        net.connect("x", "a", Scale())
        with pytest.raises(kind, match=text):
            write_nir(net, tmp_path / "net.nir")
        return net

    refused("a: LIF is no neuron of NIR", neuron=LIF())
    refused("a: its states start elsewhere", init={"v": [0.5]})
    moved = neurons.NIRLIF()
    moved.set_initial(v=0.5)
    refused("a: its states start elsewhere", neuron=moved)
    net = Network()
    net.input("x", 1)
    for name, neuron in (("a", neurons.NIRLI()), ("b", neurons.NIRLIF())):
        net.population(name, neuron, 1)
    net.connect("x", "a", Scale())
    net.connect("a", "b", Scale())
    with pytest.raises(ScneuroError, match="a > b: a never fires"):
        write_nir(net, tmp_path / "net.nir")
    with pytest.raises(ScneuroError, match="has no population"):
        write_nir(Network(), tmp_path / "net.nir")
    with pytest.raises(TypeError, match="takes a network"):
        write_nir(LIF(), tmp_path / "net.nir")
    assert not (tmp_path / "net.nir").exists()
    net = read(one(lif(1)))
    with pytest.raises(FileTrouble, match="cannot write"):
        write_nir(net, tmp_path)
