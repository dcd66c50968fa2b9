"""The form of a datapath, given as one or by keywords."""

import pytest

from scneuro import AdEx
from scneuro.boards import BOARDS
from scneuro.compiler.pipeline.cells import distinct
from scneuro.hdl import Form, Neuron, Step, build


@pytest.mark.parametrize(
    ("keywords", "form"),
    [
        ({}, Form(multipliers=0)),
        ({"held": True}, Form(held=True, multipliers=0)),
        ({"dsp": True}, Form()),
        ({"dsp": False, "held": False}, Form(multipliers=0)),
        ({"dsp": 1}, Form(multipliers=1)),
        ({"dsp": 0}, Form(multipliers=0)),
    ],
)
def test_a_step_takes_a_form_or_the_keywords_for_it(keywords, form):
    lowered = AdEx().fixed().lowered
    by_keywords, by_form = Step(lowered, **keywords), Step(lowered, form)
    assert by_keywords.form == by_form.form == form
    assert by_keywords.form == by_form.form == form
    assert by_keywords.latency == by_form.latency


def test_a_neuron_is_held_and_multiplies_in_dsps_unless_told_otherwise():
    neuron = AdEx()
    fixed = neuron.fixed()
    assert Neuron(fixed).form == build(neuron, fixed).form == Form(held=True)
    few = Form(held=True, multipliers=2)
    assert Neuron(fixed, few).form == Neuron(fixed, dsp=2).form == few
    assert build(neuron, fixed, few).form == build(neuron, fixed, dsp=2).form == few
    assert [Neuron(fixed, dsp=given).dsp for given in (True, False, 2)] == [True, 0, 2]
    with pytest.raises(ValueError, match="a single neuron's step is held"):
        Neuron(fixed, Form())


def test_a_board_has_the_form_its_device_can_hold():
    for board in BOARDS.values():
        assert board.form == Form(held=True, multipliers=board.dsp)


def test_forms_that_make_the_same_hardware_are_one():
    adex = AdEx().fixed().lowered
    few, many, logic = (Form(stored=True, multipliers=n) for n in (28, 156, 0))
    assert distinct(adex, [many, few, logic]) == [many, logic]
    deep = Form(stored=True, multipliers=28, deep=2)
    assert distinct(adex, [few, deep]) == [few, deep]
    held = Form(held=True)
    assert distinct(adex, [held, few]) == [held, few]


@pytest.mark.parametrize("keywords", [{"held": True}, {"dsp": False}, {"held": False, "dsp": 3}])
def test_a_form_and_keywords_at_once_are_refused(keywords):
    with pytest.raises(TypeError, match=r"give held and dsp, or Form\(.*\), not both"):
        Step(AdEx().fixed().lowered, Form(), **keywords)


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"held": 1}, TypeError, "held must be True or False, not 1"),
        ({"interval": 2}, ValueError, "interval must be 1, not 2"),
        ({"joint": True}, ValueError, "share a memory take an interval of 2 or more"),
        ({"joint": 1, "stored": True}, TypeError, "joint must be True or False, not 1"),
        ({"multipliers": True}, TypeError, "multipliers must be a whole number or None, not True"),
        ({"multipliers": 1.5}, TypeError, "multipliers must be a whole number or None, not 1.5"),
        ({"multipliers": -1}, ValueError, "multipliers must be at least 0, not -1"),
    ],
)
def test_a_form_that_makes_no_sense_is_refused(keywords, error, words):
    with pytest.raises(error, match=words):
        Form(**keywords)
    with pytest.raises(TypeError, match="form must be a Form, not True"):
        Step(AdEx().fixed().lowered, True)


def test_a_form_reads_as_words():
    assert str(Form()) == "pipelined, in DSPs"
    assert str(Form(held=True, multipliers=0)) == "held, in logic"
    assert str(Form(held=True, interval=16)) == "held, every 16 clocks, in DSPs"
