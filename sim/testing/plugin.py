"""The pytest plugin: the fixtures ``parity`` and ``prove``, the option ``--scneuro-traces``.

Amaranth is imported when a test asks for the fixture, not whenever pytest starts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..compare.figures import Parity
    from ..proof import Proof

__all__ = ["parity", "prove", "pytest_addoption", "pytest_configure"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("scneuro").addoption(
        "--scneuro-traces",
        metavar="DIR",
        type=Path,
        default=None,
        help="write a waveform (VCD) of every parity check whose gates fail, by running it again",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "proof: proves gates for all states and inputs")


@pytest.fixture
def prove() -> Callable[..., Proof]:
    """Prove a neuron's gates: ``prove(neuron)`` fails the test unless it is proved.

    It takes the arguments of :func:`scneuro.sim.proof.prove` and returns its result; without the
    solver (``pip install "scneuro[proof]"``) the test is skipped.
    """
    pytest.importorskip("bitwuzla", reason='the proof needs pip install "scneuro[proof]"')
    from ...hdl import hand_written
    from ..proof import prove as show

    def check(neuron: Any, **options: Any) -> Proof:
        fixed = neuron.fixed()
        if neuron.hardware(fixed) is not None:
            raise hand_written(neuron.name)
        result = show(fixed, progress=False, **options)
        if not result.ok:
            pytest.fail(f"{result}\n{result.as_test()}", pytrace=False)
        return result

    return check


@pytest.fixture
def parity(request: pytest.FixtureRequest) -> Callable[..., Parity]:
    """Check a neuron: ``parity(neuron, stimulus)`` fails the test unless all three levels pass.

    The third is the verdict on the whole run, ``traces_agree``. It takes the arguments of
    :func:`scneuro.sim.parity`, ``criteria`` and ``because`` among them, and ``levels`` to check
    only some, and returns the figures.
    """
    from ..compare.parity import parity as compare

    traces = request.config.getoption("--scneuro-traces")
    name = re.sub(r"[^\w.-]+", "_", request.node.name)

    def check(
        neuron: Any, stimulus: Any = None, *, levels: tuple[int, ...] = (1, 2, 3), **options: Any
    ) -> Parity:
        if traces is not None:
            options.setdefault("vcd", traces / f"{name}.vcd")
        result = compare(neuron, stimulus, progress=False, **options)
        passed = {1: result.bit_exact, 2: result.within_bound, 3: result.traces_agree}
        if not all(passed[level] for level in levels):
            pytest.fail(str(result), pytrace=False)
        return result

    return check
