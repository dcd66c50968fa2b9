"""The pytest plugin: the ``parity`` fixture and the ``--scneuro-traces`` option.

Amaranth is imported when a test asks for the fixture, not whenever pytest starts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .figures import Parity

__all__ = ["parity", "pytest_addoption"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("scneuro").addoption(
        "--scneuro-traces",
        metavar="DIR",
        type=Path,
        default=None,
        help="write a waveform (VCD) of every parity check whose gates fail, by running it again",
    )


@pytest.fixture
def parity(request: pytest.FixtureRequest) -> Callable[..., Parity]:
    """Check a neuron: ``parity(neuron, stimulus)`` fails the test unless all three levels pass.

    It takes the arguments of :func:`scneuro.sim.parity`, and ``levels`` to check only some, and
    returns the figures.
    """
    from .parity import parity as compare

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
