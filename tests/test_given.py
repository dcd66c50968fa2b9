"""What users give: whole numbers are checked by one function, wherever they are given."""

import numpy as np
import pytest

from scneuro import LIF, Network, Population
from scneuro.compiler.pipeline.form import Form
from scneuro.given import whole
from scneuro.network import Conv2d, Dense


def test_a_whole_number_is_within_its_limits_and_an_int():
    assert whole("n", np.int16(7)) == 7
    assert type(whole("n", np.int16(7))) is int
    for value in (True, 2.0, "2", None):
        with pytest.raises(TypeError, match="n must be a whole number, not"):
            whole("n", value)
    with pytest.raises(ValueError, match="n must be at least 1, not 0"):
        whole("n", 0)
    with pytest.raises(ValueError, match="n must be 0 to 2,000, not 2001"):
        whole("n", 2001, 0, 2000)
    with pytest.raises(TypeError, match="n must be a whole number or None, not 'a'"):
        whole("n", "a", otherwise=" or None")


def net():
    made = Network("net")
    made.input("x", 2)
    made.population("out", LIF(), 2)
    return made


USES = {
    "interval": lambda n: Form(interval=n, stored=True),
    "rams": lambda n: Form(rams=n),
    "multipliers": lambda n: Form(multipliers=n),
    "neurons": lambda n: Population(LIF(), n),
    "lanes": lambda n: Population(LIF(), 4, lanes=n),
    "most": lambda n: net().input("y", 2, most=n),
    "shape": lambda n: net().input("y", n),
    "delay": lambda n: net().connect("x", "out", Dense(np.ones((2, 2))), delay=n),
    "bits": lambda n: net().connect("x", "out", Dense(np.ones((2, 2))), bits=n),
    "point": lambda n: net().connect("x", "out", Dense(np.ones((2, 2))), point=n),
    "stride": lambda n: Conv2d(np.ones((2, 1, 2, 2)), stride=n),
}


@pytest.mark.parametrize("name", USES)
def test_whoever_takes_a_whole_number_takes_numpys_and_no_other_kind(name):
    USES[name](np.int64(2))
    for value in (True, 1.5, "2"):
        with pytest.raises(TypeError, match=rf"\b{name}\b.* must be a whole number"):
            USES[name](value)


def test_what_a_form_holds_is_an_int_however_it_was_given():
    form = Form(interval=np.int64(2), stored=True)
    assert repr(form) == repr(Form(interval=2, stored=True))
