"""Terms: shared values that compare by identity, and how they are ordered and named."""

import copy
import gc
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scneuro.compiler.algebra.terms import (
    And,
    Compare,
    Lookup,
    Not,
    Or,
    Product,
    Select,
    Sum,
    Value,
    Variable,
    behind,
    proportion,
)
from scneuro.compiler.graph import Graph

graph = Graph()
one = graph.node("const", value=1.0)
V, w = Variable("V"), Variable("w")


def compare(value):
    return Compare(value, one, 1.0)


def deep(levels, *, x=V):
    """Products of sums of products, ``levels`` deep, each used twice."""
    value = Sum(((x, 2.0),), 1.0)
    for level in range(levels):
        whole = Value(value)
        square = Product(((whole, 2),))
        value = Sum(((square, 0.5), (whole, float(level + 2))), 1.0)
    return value


EQUAL_PARTS = {
    "variable": lambda: Variable("V"),
    "product": lambda: Product(((V, 2), (w, 1))),
    "lookup": lambda: Lookup(one, Sum(((V, 1.0), (w, -1.0)))),
    "value": lambda: Value(Sum(((V, 1.0), (w, 3.0)))),
    "select": lambda: Select(compare(Sum(((V, 1.0),))), Sum(((w, 1.0),)), Sum((), 2.0)),
    "sum": lambda: Sum(((V, 0.25),), 3.0),
    "empty sum": lambda: Sum(),
    "compare": lambda: compare(Sum(((V, 1.0),), -0.5)),
    "not": lambda: Not(compare(Sum(((V, 1.0),)))),
    "and": lambda: And(compare(Sum(((V, 1.0),))), compare(Sum(((w, 1.0),)))),
    "or": lambda: Or(compare(Sum(((V, 1.0),))), compare(Sum(((w, 1.0),)))),
    "deep": lambda: deep(20),
}


# -- interning ------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", EQUAL_PARTS)
def test_equal_parts_make_the_same_object(kind):
    make = EQUAL_PARTS[kind]
    term = make()
    assert make() is term
    assert copy.copy(term) is term
    assert copy.deepcopy(term) is term


@pytest.mark.parametrize("kind", ["variable", "product", "value", "sum", "deep"])
def test_a_pickled_term_comes_back_as_the_same_object(kind):
    term = EQUAL_PARTS[kind]()
    assert pickle.loads(pickle.dumps(term)) is term


def test_terms_of_other_kinds_or_parts_are_others():
    value = Sum(((V, 1.0),))
    terms = [
        V,
        w,
        value,
        Sum(((V, 1.0 + 1e-15),)),
        Sum(((V, 1.0),), 1e-300),
        Value(value),
        compare(value),
        Not(compare(value)),
        And(compare(value), compare(value)),
        Or(compare(value), compare(value)),
        Product(((V, 2),)),
        Product(((V, 3),)),
    ]
    assert len(set(terms)) == len(terms)


def test_minus_zero_is_zero():
    assert Sum((), -0.0) is Sum()
    assert Sum(((V, 1.0),), -0.0) is Sum(((V, 1.0),), 0.0)


def test_equal_parts_make_the_same_object_across_threads():
    """Whoever is first makes it, and the others get it."""
    for turn in range(20):

        def make(_, turn=turn):
            return deep(30, x=Variable(f"of turn {turn}"))

        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(make, range(64)))
        assert len(set(map(id, made))) == 1


def test_terms_that_nobody_holds_are_gone():
    def alive():
        gc.collect()
        return sum(type(o) is Variable and o.name.startswith("lost") for o in gc.get_objects())

    held = [deep(50, x=Variable(f"lost {k}")) for k in range(10)]
    assert alive() == 10
    del held
    assert alive() == 0


# -- keys and heights -----------------------------------------------------------------------------
def test_a_key_stays_short_however_deep_the_term():
    value = deep(300)
    lengths = [len(term.key) for term in behind([value])]
    assert max(lengths) <= 150
    assert len({term.key for term in behind([value])}) == len(behind([value]))


def test_a_key_tells_deep_terms_apart_that_differ_at_the_bottom():
    assert deep(40).key != deep(40, x=w).key
    assert deep(40).key != deep(41).key


def test_long_sums_that_print_alike_have_keys_of_their_own():
    atoms = [Variable(f"a variable with a rather long name {k}") for k in range(8)]
    first = Sum(tuple((atom, 0.1) for atom in atoms))
    second = Sum(tuple((atom, 0.1 + 1e-12) for atom in atoms))
    assert first is not second
    assert first.key != second.key


def test_a_key_reads_like_the_formula():
    value = Sum(((V, 2.0), (Product(((V, 2), (w, 1))), -0.5)), 3.0)
    assert value.key == "2*V + -0.5*V**2*w + 3"
    assert Value(Sum(((V, 1.0), (w, -1.0)))).key == "(V + -1*w)"


SMALL = st.recursive(
    st.sampled_from([V, w]).map(lambda atom: Sum(((atom, 1.0),))),
    lambda inner: st.one_of(
        inner.map(lambda s: Sum(((Value(s), 2.0),), 1.0)),
        st.tuples(inner, inner).map(
            lambda pair: Sum(((Select(compare(pair[0]), pair[1], pair[0]), 1.0),))
        ),
        st.tuples(inner, inner).map(
            lambda pair: Sum(((Product(((pair[0], 1), (pair[1], 1))), 1.0),))
        ),
    ),
    max_leaves=12,
)


@given(st.lists(SMALL, min_size=1, max_size=3))
def test_what_is_behind_a_term_is_each_once_and_parts_come_first(roots):
    terms = behind(list(roots))
    assert len(set(terms)) == len(terms)
    assert set(roots) <= set(terms)
    place = {term: k for k, term in enumerate(terms)}
    for term in terms:
        for part in term.parts:
            assert place[part] < place[term]
            assert part.height < term.height
    assert behind(list(roots)[::-1]) == terms  # however they were asked for


def test_what_is_behind_shared_structure_is_no_more_than_there_is():
    assert len(behind([deep(500)])) <= 3 * 500 + 2  # expanded it would be 2**500


# -- proportion -----------------------------------------------------------------------------------
COEFFICIENT = st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6)


@given(st.lists(COEFFICIENT, min_size=1, max_size=5), COEFFICIENT)
def test_a_multiple_of_a_sum_has_its_factor(coefficients, k):
    atoms = [Variable(f"a{n}") for n in range(len(coefficients))]
    of = tuple(zip(atoms, coefficients, strict=True))
    terms = tuple((atom, k * c) for atom, c in of)
    assert proportion(terms, of) == pytest.approx(k, rel=1e-9)
    assert proportion(of, terms) == pytest.approx(1 / k, rel=1e-9)


def test_what_is_no_multiple_has_none():
    of = ((V, 1.0), (w, 2.0))
    assert proportion(((V, 1.0), (w, 2.001)), of) is None
    assert proportion(((V, 1.0),), of) is None
    assert proportion(((V, 1.0), (Variable("I"), 2.0)), of) is None
    assert proportion((), ()) is None
    assert proportion(of, ()) is None


# -- sums -----------------------------------------------------------------------------------------
def test_the_leaves_of_nested_choices_are_each_sum_once():
    low, high, other = Sum((), 1.0), Sum(((V, 1.0),)), Sum(((w, 1.0),))

    def choice(value, yes, no):
        return Sum(((Select(compare(value), yes, no), 1.0),))

    nested = choice(high, choice(other, low, high), choice(low, high, other))
    assert set(nested.leaves) == {low, high, other}
    assert len(nested.leaves) == 3
    assert low.leaves == [low]


def test_the_leaves_of_choices_that_share_are_found_in_a_moment():
    value = Sum(((V, 1.0),))
    for k in range(60):  # 2**60 paths
        condition = compare(Sum(((w, 1.0),), float(k)))
        other = Sum(((Select(condition, value, Sum((), float(k))), 1.0),))
        value = Sum(((Select(condition, other, value), 1.0),))
    assert len(value.leaves) == 61


def test_degree_core_and_coefficient():
    square = Product(((V, 2), (w, 1)))
    value = Sum(((V, 0.5), (square, 2.0)), 7.0)
    assert value.degree == square.degree == 3
    assert value.core is Sum(((V, 0.5), (square, 2.0)))
    assert value.coefficient(V) == 0.5
    assert value.coefficient(w) == 0.0
    assert Sum((), 1.0).degree == 0
