"""Words: a real number becomes the nearest of them, or is refused."""

import math
import pickle

import numpy as np
import pytest
from apytypes import APyFixedArray, QuantizationMode
from hypothesis import assume, given
from hypothesis import strategies as st

from scneuro import LIF, Input, Neuron, Population, State
from scneuro.sim import parity
from scneuro.sim.proof import prove
from scneuro.words import Q8_8, Word, fitting, nearest, quantize

WORDS = np.arange(-(2**15), 2**15)


def rounded_by_apytypes(bits: np.ndarray, fraction: int) -> np.ndarray:
    """Integers of ``fraction`` bits as Q8.8 words, ties up, by an independent implementation."""
    wide = APyFixedArray(bits.tolist(), int_bits=16, frac_bits=fraction)
    narrow = wide.cast(int_bits=16, frac_bits=8, quantization=QuantizationMode.TIES_POS)
    return (narrow.to_numpy() * 256).astype(np.int64)


def test_every_word_stands_for_itself():
    assert np.array_equal(quantize(WORDS / 256, "x"), WORDS)
    assert [nearest(n / 256, 8) for n in WORDS.tolist()] == WORDS.tolist()


@pytest.mark.parametrize("offset", [-255, -129, -128, -127, -1, 1, 127, 128, 129, 255])
def test_rounding_around_every_word_is_that_of_apytypes(offset):
    # 2**-16 steps: 128 is the half-way tie
    bits = WORDS * 256 + offset
    expected = rounded_by_apytypes(bits, 16)
    inside = (expected >= -(2**15)) & (expected < 2**15)
    values = bits[inside] / 2**16
    assert np.array_equal(quantize(values, "x"), expected[inside])
    assert [nearest(v, 8) for v in values.tolist()] == expected[inside].tolist()


def test_a_tie_goes_up_whatever_its_sign():
    ties = (WORDS[:-1] + 0.5) / 256
    assert np.array_equal(quantize(ties, "x"), WORDS[1:])


@pytest.mark.parametrize("direction", [-np.inf, np.inf])
def test_the_double_next_to_a_tie_goes_to_the_nearer_word(direction):
    ties = (WORDS[:-1] + 0.5) / 256
    values = np.nextafter(ties, direction)
    expected = WORDS[:-1] if direction < 0 else WORDS[1:]
    got = quantize(values, "x")
    wrong = got != expected
    assert not wrong.any(), f"{values[wrong]} became {got[wrong]}, not {expected[wrong]}"


@given(st.floats(-128, 127.998), st.integers(0, 20))
def test_nearest_is_within_half_an_lsb(value, fraction):
    assert abs(math.ldexp(nearest(value, fraction), -fraction) - value) <= 2.0 ** -(fraction + 1)


@pytest.mark.parametrize(
    "value", [127.998046875, 128.0, 1e300, math.inf, -128.0 - 2**-9 - 2**-20, -129.0, -math.inf]
)
def test_a_value_outside_the_range_is_refused_with_the_range(value):
    with pytest.raises(ValueError, match=r"I = .* nA does not fit Q8\.8.*-128 to 127\.996"):
        quantize([0.0, value, 1.0], "I", unit="nA")


def test_the_message_names_a_value_that_does_not_fit():
    with pytest.raises(ValueError, match="I = 200 does not"):
        quantize([1.0, 2.0, 200.0], "I")


def test_nan_is_refused():
    with pytest.raises(ValueError, match="nan"):
        quantize([0.0, math.nan], "I")


@pytest.mark.parametrize(("value", "word"), [(-128.0 - 2**-9, -(2**15)), (127.998, 2**15 - 1)])
def test_the_last_values_that_round_into_the_range_are_accepted(value, word):
    assert quantize(value, "x") == word


@pytest.mark.parametrize("fraction", range(16))
def test_a_word_is_parsed_from_its_name(fraction):
    word = Word(fraction)
    assert Word.parse(str(word)) == word
    assert word.least == -(2.0 ** (15 - fraction))
    assert word.greatest == -word.least - word.lsb


@pytest.mark.parametrize(
    "text", ["", "Q8", "8.8", "Q8.9", "Q7.8", "Q0.16", "Q16.1", "Q-1.17", "q8.8", "Q8.8 ", "Q8,8"]
)
def test_what_is_no_word_is_refused(text):
    with pytest.raises(ValueError, match=r"word must be 'Qm\.n' with m >= 1 and m \+ n = 16"):
        Word.parse(text)


def test_q8_8_holds_what_it_says():
    assert (Q8_8.least, Q8_8.greatest, Q8_8.lsb) == (-128.0, 127.99609375, 2.0**-8)


def holds(fraction: int, low: float, high: float) -> bool:
    """Whether both ends have a nearest 16-bit integer at this fraction."""
    return Word(fraction).least <= low and nearest(high, fraction) <= 2**15 - 1


@given(st.floats(-40000, 40000), st.floats(-40000, 40000))
def test_fitting_gives_the_finest_word_that_holds_an_interval(a, b):
    low, high = min(a, b), max(a, b)
    word = fitting(low, high)
    if word is None:
        assert not any(holds(f, low, high) for f in range(25))
    else:
        assert holds(word.fraction, low, high)
        assert not any(holds(f, low, high) for f in range(word.fraction + 1, 25))


@given(st.integers(0, 15), st.floats(0.51, 1.0))
def test_an_interval_just_inside_a_word_fits_it(fraction, share):
    word = Word(fraction)
    assume(share * word.greatest > word.greatest / 2 + word.lsb)
    assert fitting(share * word.least, share * word.greatest) == word


def test_nothing_fits_an_interval_wider_than_16_bits():
    assert fitting(-32769.0, 0.0) is None
    assert fitting(0.0, 32768.0) is None
    assert fitting(-32768.0, 32767.0) == Word(0)


class Unitless(Neuron):
    tau: float = 10.0
    dt: float = 1.0
    v = State(word="Q4.12")
    drive = Input(word="Q3.13")

    def update(self, v, drive):
        v = v + self.dt / self.tau * (drive - v)
        return v >= 1.0, np.where(v >= 1.0, 0.0, v)


def test_an_input_has_the_word_that_it_declares():
    fixed = Unitless().fixed()
    assert fixed.lowered.input_words == {"drive": Word(13)}
    assert fixed.run(drive=[1 + 2.0**-13], progress=False).drive[0] == 1 + 2.0**-13
    with pytest.raises(ValueError, match=r"drive = 4 does not fit Q3.13, which holds -4 to"):
        fixed.run(drive=[4.0])
    report = parity(Unitless(), np.full(300, 1.7003), engine="amaranth", progress=False)
    assert report.ok
    assert report.fixed_run.spikes > 20
    assert np.ptp(report.float_run.drive) == 0
    assert report.float_run.drive[0] == nearest(1.7003, 13) * 2.0**-13
    assert prove(fixed).ok


def test_words_can_be_set_and_travel_with_the_neuron():
    neuron = LIF()
    neuron.set_words(V="Q8.8", I="Q7.9")
    assert neuron.fixed().lowered.input_words["I"] == Word(9)
    assert LIF().fixed().lowered.input_words["I"] == Word(8)
    again = pickle.loads(pickle.dumps(neuron))
    assert again == neuron
    assert again != LIF()
    assert again.spec.make().input_words == {"I": Word(9)}
    with pytest.raises(TypeError, match="LIF has no state or input 'w'; it has V, I"):
        neuron.set_words(w="Q4.12")
    with pytest.raises(ValueError, match="word must be"):
        neuron.set_words(V="Q9.9")
    assert neuron.input_words == {"I": Word(9)}
    varied = Population(neuron, 4, parameters={"tau_m": [5.0, 6, 7, 8]})
    assert varied.one.input_words["I"] == Word(9)
