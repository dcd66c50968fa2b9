"""Graphs of NIR that several test files read, write and run."""

from itertools import pairwise

import nir
import numpy as np

from scneuro.network.nir import neurons, read_nir


def full(count, value):
    return np.full(count, float(value))


def lif(count, tau=0.02, r=1.0, leak=0.0, theta=1.0, reset=0.0):
    return nir.LIF(*(full(count, v) for v in (tau, r, leak, theta, reset)))


def li(count, tau=0.02):
    return nir.LI(full(count, tau), full(count, 1), full(count, 0))


def cuba(count, tau_syn=0.005, tau_mem=0.02, r=1.0, leak=0.0, theta=1.0, reset=0.0, w_in=1.0):
    return nir.CubaLIF(*(full(count, v) for v in (tau_syn, tau_mem, r, leak, theta, reset, w_in)))


def cuba_li(count):
    return nir.CubaLI(*(full(count, v) for v in (0.005, 0.02, 1, 0, 1)))


def graph(edges, **nodes):
    """A graph of nodes, and edges such as ``"a b c"``, each leading to the next."""
    found = []
    for line in edges:
        names = line.split()
        found += pairwise(names)
    return nir.NIRGraph(nodes=nodes, edges=found, type_check=False)


def ends(n, m):
    return {"input": nir.Input(np.array([n])), "output": nir.Output(np.array([m]))}


def one(node, count=1):
    """An input, a node, and an output."""
    return graph(["input node output"], **ends(count, count), node=node)


def spikes(steps, count, chance=0.1, seed=0):
    return (np.random.default_rng(seed).random((steps, count)) < chance).astype(float)


def quiet(runs, **options):
    return runs.run(progress=False, **options)


def read(source, dt=1.0, **options):
    return read_nir(source, dt=dt, **options)


HIDDEN, STEPS = 40, 256


def recurrent(rng, count=HIDDEN):
    """A net as training makes them: a recurrent layer, per-neuron constants, and a readout."""
    return graph(
        ["input fc hidden rec hidden", "hidden out readout output"],
        **ends(12, 4),
        fc=nir.Affine(rng.normal(0, 1.2, (count, 12)), rng.normal(0, 0.1, count)),
        hidden=nir.CubaLIF(
            tau_syn=rng.uniform(0.003, 0.01, count),
            tau_mem=rng.uniform(0.01, 0.03, count),
            r=rng.uniform(0.8, 1.5, count),
            v_leak=rng.uniform(-0.05, 0.05, count),
            v_threshold=rng.uniform(0.3, 0.6, count),
            v_reset=rng.uniform(-0.1, 0.0, count),
            w_in=rng.uniform(0.8, 1.2, count),
        ),
        rec=nir.Linear(rng.normal(0, 0.35, (count, count))),
        out=nir.Linear(rng.normal(0, 1.5, (4, count))),
        readout=lif(4, theta=0.1),
    )


NEURONS = [
    getattr(neurons, name) for name in neurons.__all__ if isinstance(getattr(neurons, name), type)
]


def trained(seed, bits=None):
    """A recurrent net as training leaves one: even weights, 3 to 10 % of the bits are spikes.

    With ``bits``, its weights and biases are on the grid that so many bits leave.
    """
    rng = np.random.default_rng(seed)
    g = recurrent(rng)
    arrays = {"fc": (HIDDEN, 12), "rec": (HIDDEN, HIDDEN), "out": (4, HIDDEN)}
    for (name, shape), size in zip(arrays.items(), (2.5, 0.4, 2.0), strict=True):
        weights = rng.uniform(-size, size, shape)
        if bits:
            grid = 2.0 ** (np.ceil(np.log2(size)) - bits + 1)
            weights = np.clip(np.rint(weights / grid), 1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1)
            weights = weights * grid
        g.nodes[name].weight = weights
    for name, value in {"r": 1.0, "w_in": 1.0, "v_leak": 0.0, "v_reset": 0.0}.items():
        setattr(g.nodes["hidden"], name, full(HIDDEN, value))
    g.nodes["fc"].bias = np.rint(rng.normal(0, 0.1, HIDDEN) * 2**10) / 2**10
    return g


def through(n, m, *nodes, shape=None):
    """A chain of nodes, from an input to an output."""
    names = {f"n{k}": node for k, node in enumerate(nodes)}
    g = graph([" ".join(("input", *names, "output"))], **ends(n, m), **names)
    if shape is not None:
        g.nodes["input"] = nir.Input(np.array(shape))
    return g


RNG = np.random.default_rng(5)

IMAGE = (2, 6, 5)

KERNEL = RNG.normal(size=(3, 2, 2, 3))

BIAS = RNG.normal(size=3)
