"""What is refused of NIR files, and with which words."""

import h5py
import nir
import numpy as np
import pytest
from nir_graphs import (
    BIAS,
    IMAGE,
    KERNEL,
    cuba,
    ends,
    full,
    graph,
    li,
    lif,
    one,
    read,
    recurrent,
    through,
    trained,
)

from scneuro import ScneuroError
from scneuro.errors import FileTrouble
from scneuro.network.nir import read_nir


def with_(node, **values):
    for name, value in values.items():
        setattr(node, name, value)
    return node


nan = float("nan")

REFUSED = {
    "an analog path": (
        lambda: graph(["input li fc lif output"], **ends(1, 1), li=li(1), lif=lif(1),
                      fc=nir.Linear(np.eye(1))),
        r"li \(LI\): its potential goes on to fc, .*\n.*Threshold",
    ),
    "an integrator with two ways": (
        lambda: graph(["input li over output", "li output"], **ends(1, 1), li=li(1),
                      over=nir.Threshold(full(1, 1))),
        r"li \(LI\): its potential goes on to over",
    ),
    "a loop of maps": (
        lambda: graph(["input a b a output"], **ends(1, 1), a=nir.Linear(np.eye(1)),
                      b=nir.Linear(np.eye(1))),
        r"a \(Linear\): it is in a loop without a neuron",
    ),
    "no input": (
        lambda: graph(["node output"], node=lif(1), output=nir.Output(np.array([1]))),
        "it has no Input",
    ),
    "an edge to nowhere": (
        lambda: graph(["input nude output"], **ends(1, 1), node=lif(1)),
        "an edge names the node nude, which is not there; did you mean node",
    ),
    "weights of nan": (
        lambda: through(1, 1, nir.Linear(np.array([[nan]]))),
        r"n0 \(Linear\): Dense: weights is nan",
    ),
    "a bias of nan": (
        lambda: through(1, 1, nir.Affine(np.eye(1), full(1, nan))),
        r"n0 \(Affine\): Dense: bias is nan",
    ),
    "a parameter of nan": (
        lambda: one(with_(lif(1), tau=full(1, nan))),
        r"node \(LIF\): tau is nan",
    ),
    "shapes of two layers": (
        lambda: through(2, 3, nir.Linear(np.eye(2)), nir.Linear(np.eye(3))),
        r"n1 \(Linear\): Dense takes 3 neurons, not 2",
    ),
    "shapes of a layer and its neurons": (
        lambda: through(2, 3, nir.Linear(np.eye(2)), lif(3)),
        r"n1 \(LIF\): tau has shape \(3,\), and there are \(2,\) neurons",
    ),
    "a convolution of a row": (
        lambda: through(3, 3, nir.Conv2d((6, 5), KERNEL, 1, 0, 1, 1, BIAS)),
        r"n0 \(Conv2d\): Conv2d takes \(2, height, width\), not 3",
    ),
    "a kernel that is too large": (
        lambda: through(0, 0, nir.Conv2d((6, 5), KERNEL, 1, 0, 9, 1, BIAS), shape=IMAGE),
        r"n0 \(Conv2d\): Conv2d: a kernel of 2x3 does not fit 6x5",
    ),
    "two shapes at one neuron": (
        lambda: graph(["input a node output", "input b node"], **ends(2, 2), node=lif(2),
                      a=nir.Linear(np.eye(2)), b=nir.Linear(np.ones((3, 2)))),
        "input > node: the map makes 3 of 2, and node has 2 neurons",
    ),
    "an exploding step": (
        lambda: one(lif(2, tau=0.0004), 2),
        r"a time step of 1 ms is 2.5 times tau = 0.0004 s.*\n.*at most 0.4 ms, or method exact",
    ),
    "an exploding current": (
        lambda: one(cuba(1, tau_syn=0.0005)),
        "is 2 times tau_syn = 0.0005 s",
    ),
    "a frozen membrane": (
        lambda: one(lif(1, tau=100.0)),
        r"is 1e-05 of tau = 100 s: it stands still\n.*Sinabs",
    ),
    "a frozen integrator": (
        lambda: one(nir.IF(full(1, 0.001), full(1, 1), full(1, 0))),
        "of the way of an input of 1 to v_threshold: it stands still",
    ),
    "no time constant": (lambda: one(lif(1, tau=0.0)), "tau must be positive, not 0"),
    "a delay backwards": (
        lambda: through(1, 1, nir.Delay(full(1, -0.001))),
        r"n0 \(Delay\): a delay must not be negative",
    ),
    "a delay of ages": (
        lambda: through(1, 1, nir.Delay(full(1, 10.0))),
        "delay must be 0 to 1,024",
    ),
    "a nested graph of two inputs": (
        lambda: graph(
            ["input sub output"],
            **ends(1, 1),
            sub=graph(["a lif o", "b lif"], a=nir.Input(np.array([1])),
                      b=nir.Input(np.array([1])), lif=lif(1), o=nir.Output(np.array([1]))),
        ),
        r"sub \(NIRGraph\) has 2 nodes Input",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("made", "text"), REFUSED.values(), ids=REFUSED)
def test_a_net_that_makes_no_sense_is_refused_with_the_node(made, text, tmp_path):
    nir.write(tmp_path / "net.nir", made())
    for source in (made(), tmp_path / "net.nir"):
        with pytest.raises((ScneuroError, ValueError), match=text) as caught:
            read(source)
        assert len(str(caught.value).splitlines()) <= 2


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"dt": 0}, ValueError, "dt must be a positive number of ms, not 0"),
        ({"dt": nan}, ValueError, "dt is nan"),
        ({"dt": "a"}, TypeError, "dt must be numbers"),
        ({"dt": 1, "method": "rk4"}, ValueError, "method must be euler or exact, not 'rk4'"),
        ({"dt": 1, "reset": "none"}, ValueError, "reset must be value or subtract, not 'none'"),
        ({"dt": 1, "inputs": "light"}, ScneuroError, "kind of input must be spikes or current"),
        ({"dt": 1, "bits": 99}, ValueError, "bits must be 2 to 16, not 99"),
        ({"dt": 1, "bits": {"recc": 4}}, ValueError, "bits of 'recc': there .*did you mean rec"),
        ({"dt": 1, "points": {"hidden": 4}}, ValueError, "points of 'hidden': there are"),
        ({"dt": 1, "words": {"fc": {"v": "Q4.12"}}}, ValueError, "words of 'fc': there are hidden"),
        ({"dt": 1, "words": {"hidden": {"w": "Q4.12"}}}, ScneuroError, "no state or input 'w'"),
        ({"dt": 1, "words": {"hidden": {"v": "Q4.2"}}}, ScneuroError, "word must be 'Qm.n'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, kind, text):
    with pytest.raises(kind, match=text):
        read_nir(recurrent(np.random.default_rng(0)), **options)


def test_a_primitive_or_an_object_that_is_none_is_refused(tmp_path):
    class Poisson(nir.ir.NIRNode):
        def __init__(self):
            self.input_type = self.output_type = {}

    with pytest.raises(ScneuroError, match=r"node: Poisson is not supported\n.*CubaLIF"):
        read(one(Poisson()))
    with pytest.raises(TypeError, match=r"takes a path or a nir.NIRGraph, not LIF"):
        read(lif(1))
    path = tmp_path / "net.nir"
    nir.write(path, one(lif(1)))
    with h5py.File(path, "a") as file:
        del file["node/nodes/node/type"]
        file["node/nodes/node/type"] = "Lif"
    with pytest.raises(FileTrouble, match="node: Lif is not supported; did you mean LIF"):
        read(path)


def test_a_file_from_before_v_reset_is_read_and_said(tmp_path):
    path = tmp_path / "net.nir"
    nir.write(path, one(lif(1, reset=-0.5)))
    with h5py.File(path, "a") as file:
        del file["node/nodes/node/v_reset"]
    net = read(path)
    assert net.layers["node"].population.neuron.v_reset == 0
    assert "node: the file has no v_reset: 0" in net.notes


def test_a_damaged_file_is_refused_in_a_line(tmp_path):
    whole, path = tmp_path / "whole.nir", tmp_path / "net.nir"
    nir.write(whole, trained(0))
    content = whole.read_bytes()
    damaged = [content[: len(content) * k // 20] for k in range(20)]
    damaged += [b"no HDF5", b"", content[:2000] + b"\0" * 500 + content[2500:]]
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(FileTrouble) as caught:
            read(path)
        assert len(str(caught.value).splitlines()) <= 2
    with pytest.raises(FileTrouble, match="there is no file"):
        read(tmp_path / "none.nir")
    with h5py.File(path, "w") as file:
        file["other"] = 1
    with pytest.raises(FileTrouble, match="is no NIR file"):
        read(path)
    nir.write(path, through(1, 1, nir.Linear(np.eye(1))))
    with h5py.File(path, "a") as file:
        del file["node/nodes/n0/weight"]
        file["node/nodes/n0"].create_dataset("weight", (2**20, 2**15), "f4", chunks=(64, 64))
    with pytest.raises(FileTrouble, match="weight claims 137,438,953,472 bytes, more than"):
        read(path)
    for name in ("weight", "type", "v_threshold"):
        nir.write(path, through(1, 1, nir.Linear(np.eye(1)), lif(1)))
        with h5py.File(path, "a") as file:
            for node in file["node/nodes"].values():
                node.pop(name, None)
        with pytest.raises(FileTrouble, match=r"net\.nir") as caught:
            read(path)
        assert len(str(caught.value).splitlines()) <= 2
