"""Every primitive of NIR, and graphs of them."""

import nir
import numpy as np
from nir_graphs import (
    BIAS,
    IMAGE,
    KERNEL,
    RNG,
    ends,
    full,
    graph,
    lif,
    one,
    quiet,
    read,
    spikes,
    through,
    trained,
)


def reads(g, x, expected, **options):
    """Whether a net that ends in a readout reads what is expected."""
    net = read(g, **options)
    found = quiet(net, input=x)["output/v"]
    assert np.allclose(found, np.reshape(expected, found.shape), rtol=0, atol=1e-9)
    return net


def image():
    return spikes(7, 60, 0.4).reshape(7, *IMAGE)


def slid(x):
    """The convolution of KERNEL over images, with strides of (2, 1)."""
    found = np.zeros((len(x), 3, 3, 3))
    for t, o, i, j in np.ndindex(*found.shape):
        found[t, o, i, j] = np.sum(KERNEL[o] * x[t, :, 2 * i : 2 * i + 2, j : j + 3])
    return found


def test_linear_affine_and_scale():
    w, b, x = RNG.normal(size=(4, 3)), RNG.normal(size=4), spikes(9, 3, 0.5)
    reads(through(3, 4, nir.Linear(w)), x, x @ w.T)
    reads(through(3, 4, nir.Affine(w, b)), x, x @ w.T + b)
    reads(through(3, 3, nir.Scale(w[0])), x, x * w[0])
    reads(through(3, 4, nir.Scale(w[0]), nir.Affine(w, b)), x, (x * w[0]) @ w.T + b)


def test_two_dimensional_convolutions():
    x, bias = image(), BIAS[:, None, None]
    args = {"stride": (2, 1), "padding": 0, "dilation": 1, "groups": 1}
    node = nir.Conv2d(None, KERNEL, bias=BIAS, **args)
    reads(through(0, 0, node, shape=IMAGE), x, slid(x) + bias)
    apart = nir.Conv2d(None, np.ones((2, 1, 1, 1)), 1, "valid", 1, 2, np.zeros(2))
    reads(through(0, 0, apart, shape=IMAGE), x, x)
    same = nir.Conv2d(IMAGE[1:], np.ones((1, 2, 3, 3)), 1, "same", 1, 1, np.zeros(1))
    padded = np.pad(x.sum(axis=1), ((0, 0), (1, 1), (1, 1)))
    summed = sum(padded[:, i : i + 6, j : j + 5] for i in range(3) for j in range(3))
    reads(through(0, 0, same, shape=IMAGE), x, summed)


def test_one_dimensional_convolutions():
    w, x = RNG.normal(size=(3, 2, 2)), spikes(7, 12, 0.4).reshape(7, 2, 6)
    node = nir.Conv1d(6, w, 2, 1, 1, 1, BIAS)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1)))
    expected = np.stack(
        [np.einsum("oik,tik->to", w, padded[:, :, 2 * j : 2 * j + 2]) for j in range(4)], axis=-1
    )
    reads(through(0, 0, node, shape=(2, 6)), x, expected + BIAS[:, None])


def test_pools_and_flatten():
    x = image()
    blocks = x[:, :, :, :4].reshape(7, 2, 3, 2, 2, 2).sum(axis=(3, 5))
    args = [np.array(a) for a in ((2, 2), (2, 2), (0, 0))]
    reads(through(0, 0, nir.SumPool2d(*args), shape=IMAGE), x, blocks)
    reads(through(0, 0, nir.AvgPool2d(*args), shape=IMAGE), x, blocks / 4)
    flat = nir.Flatten(np.array(IMAGE), 0, -1)
    reads(through(0, 0, nir.SumPool2d(*args), flat, shape=IMAGE), x, blocks.reshape(7, -1))
    net = reads(through(0, 0, nir.Flatten(None, 1, -1), shape=IMAGE), x, x.reshape(7, -1))
    assert net.layers["output"].shape == (2, 30)
    row = nir.Flatten(None, 1, -1)  # of what is a row already: exporters count a batch, too
    reads(through(3, 3, row), spikes(9, 3, 0.5), spikes(9, 3, 0.5))


def test_delays_are_seconds_and_each_its_own():
    x = spikes(20, 3, 0.4)

    def late(k, by):
        return np.concatenate([np.zeros(by), x[: 20 - by, k]])

    reads(through(3, 3, nir.Delay(full(3, 0.004))), x, np.stack([late(k, 4) for k in range(3)], 1))
    several = nir.Delay(np.array([0.002, 0.0, 0.005]))
    expected = np.stack([late(0, 2), late(1, 0), late(2, 5)], 1)
    net = reads(through(3, 3, several), x, expected)
    assert sorted(p.delay for p in net.projections) == [0, 2, 5]
    w, b = RNG.normal(size=(4, 3)), RNG.normal(size=4)
    reads(through(3, 4, several, nir.Affine(w, b)), x, expected @ w.T + b)
    twice = through(3, 4, several, nir.Affine(w, b), nir.Delay(np.array([0, 0, 0.001, 0])))
    after = expected @ w.T
    after[:, 2] = np.concatenate([[0], after[:-1, 2]])
    net = reads(twice, x, after + b)
    assert any("n1: its bias is there from the first step on" in n for n in net.notes)
    net = read(through(3, 3, nir.Delay(full(3, 0.0024))))
    assert [p.delay for p in net.projections] == [2]
    assert any("n0: delays are rounded to whole steps, 2.4 to 2" in n for n in net.notes)
    net = read(through(3, 3, nir.Delay(full(3, 0.0003))), dt=0.1)
    assert [p.delay for p in net.projections] == [3]
    assert not any("rounded" in n for n in net.notes)


def test_parallel_ways_add_up_and_a_bias_arrives_once():
    w, b, x = RNG.normal(size=(3, 3)), RNG.normal(size=3), spikes(9, 3, 0.5)
    g = graph(
        ["input a join output", "input b join", "input output"],
        **ends(3, 3),
        a=nir.Scale(full(3, 2)),
        b=nir.Affine(w, b),
        join=nir.Affine(w, b),
    )
    reads(g, x, (2 * x + x @ w.T + b) @ w.T + b + x)
    split = graph(
        ["input b a output", "b c output"],
        **ends(3, 3),
        a=nir.Scale(full(3, 2)),
        b=nir.Affine(w, b),
        c=nir.Linear(w),
    )
    reads(split, x, 2 * (x @ w.T + b) + (x @ w.T + b) @ w.T)


def test_nested_graphs_are_resolved_with_the_names_of_both():
    inner = nir.NIRGraph(
        nodes={
            "in": nir.Input(np.array([4])),
            "lif": lif(4, theta=0.05),
            "w": nir.Linear(-0.5 * np.eye(4)),
            "out": nir.Output(np.array([4])),
        },
        edges=[("in", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "out")],
    )
    outer = graph(["in deep out"], **{"in": nir.Input(np.array([4]))}, deep=inner,
                  out=nir.Output(np.array([4])))  # fmt: skip
    g = graph(["input fc net output"], **ends(3, 4), fc=nir.Linear(np.ones((4, 3))), net=outer)
    net = read(g)
    assert list(net.layers) == ["net.deep.lif"]
    assert net.outputs == ["net.deep.lif"]
    loop = (
        "net.deep.lif > net.deep.w > net.deep.lif closes a loop without a delay: it gets one step"
    )
    assert loop in net.notes
    flat = graph(
        ["input fc lif w lif output"],
        **ends(3, 4),
        fc=g.nodes["fc"],
        lif=inner.nodes["lif"],
        w=inner.nodes["w"],
    )
    x = spikes(50, 3, 0.3)
    expected = quiet(read(flat), input=x).spike["lif"]
    assert expected.any()
    assert np.array_equal(quiet(net, input=x).spike["net.deep.lif"], expected)


def test_a_name_that_is_missing_is_taken_for_the_input_and_output_that_bear_it(tmp_path):
    """As old exporters of recurrent layers wrote it: flat names, and edges with the layer's."""
    nodes = {
        **ends(3, 4),
        "fc": nir.Linear(np.ones((4, 3))),
        "rnn.input": nir.Input(np.array([4])),
        "rnn.lif": lif(4, theta=0.05),
        "rnn.output": nir.Output(np.array([4])),
    }
    edges = [("input", "fc"), ("fc", "rnn"), ("rnn", "output"), ("rnn.input", "rnn.lif")]
    edges += [("rnn.lif", "rnn.output")]
    g = nir.NIRGraph(nodes=nodes, edges=edges, type_check=False)
    nested = graph(["in sub output"], **{"in": nir.Input(np.array([3]))}, sub=g,
                   output=nir.Output(np.array([4])))  # fmt: skip
    for whole, name in ((g, "rnn.lif"), (nested, "sub.rnn.lif")):
        nir.write(tmp_path / "net.nir", whole)
        net = read(tmp_path / "net.nir")
        assert list(net.layers) == [name]
        assert sum("which is not there" in n for n in net.notes) == 2


def test_edges_that_are_there_twice_count_once_and_what_nothing_reaches_is_left_out():
    g = one(lif(1))
    g.edges.append(("input", "node"))
    g.nodes["lost"] = nir.Linear(np.ones((2, 2)))
    g.nodes["alone"] = lif(2)
    net = read(g)
    assert len(net.projections) == 1
    assert "1 edges are there twice: taken once" in net.notes
    assert "lost: nothing leads there: left out" in net.notes
    assert net.layers["alone"].shape == (2,)


def test_a_loop_of_several_layers_gets_one_step_where_it_comes_back():
    g = graph(
        ["input a first b second c first", "second output"],
        **ends(2, 2),
        a=nir.Linear(np.eye(2)),
        b=nir.Linear(np.eye(2)),
        c=nir.Linear(np.eye(2)),
        second=lif(2),
        first=lif(2),
    )
    net = read(g)
    assert [(p.source, p.target, p.delay) for p in net.projections] == [
        ("input", "first", 0),
        ("first", "second", 0),
        ("second", "first", 1),
    ]
    g.edges[g.edges.index(("second", "c"))] = ("second", "late")
    g.edges.append(("late", "c"))
    g.nodes["late"] = nir.Delay(full(2, 0.003))
    net = read(g)
    assert [p.delay for p in net.projections] == [0, 0, 3]
    assert not any("loop" in n for n in net.notes)


def test_arrays_that_agree_are_one_number_and_others_are_each_neurons_own():
    node = lif(4)
    node.v_threshold = np.array([1.0, 2.0, 3.0, 4.0])
    node.tau = np.array([0.01, 0.02, 0.04, 0.02])
    layer = read(one(node, 4)).layers["node"]
    assert set(layer.population.parameters) == {"alpha", "v_threshold"}
    assert layer.population.parameters["alpha"].tolist() == [0.1, 0.05, 0.025, 0.05]
    assert layer.population.neuron.r == 1
    scalars = nir.LIF(*(np.array(v) for v in (0.02, 1.0, 0.0, 1.0, 0.0)))
    assert read(one(scalars, 4)).layers["node"].count == 4
    rows = through(0, 0, lif(1), shape=(2, 3, 4))
    rows.nodes["n0"].v_threshold = np.array([1.0, 2.0]).reshape(2, 1, 1)
    found = read(rows).layers["n0"]
    assert found.shape == (2, 3, 4)
    assert found.population.parameters["v_threshold"].tolist() == [1] * 12 + [2] * 12


def test_bits_points_and_words_may_be_chosen_by_name():
    g = trained(0)
    net = read(g, bits={"fc": 4, "rec": 6}, points={"out": 3}, words={"hidden": {"v": "Q2.14"}})
    assert [(p.bits, p.point) for p in net.projections] == [(4, None), (6, None), (8, 3)]
    net.calibrate(input=spikes(99, 12, 0.2), progress=False)
    assert net.layers["hidden"].population.neuron.state_variables["v"].word == "Q2.14"
    assert {p.bits for p in read(g, bits=5).projections} == {5}


def test_an_input_with_a_name_that_means_something_else_gets_another():
    g = one(lif(1))
    g.nodes["record"], g.edges = g.nodes.pop("input"), [("record", "node"), ("node", "output")]
    assert list(read(g).inputs) == ["record_"]
