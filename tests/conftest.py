"""One hypothesis profile for everyone: the same examples on every machine, and no deadline."""

import sys

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("ci")


@pytest.fixture
def command_line():
    """The start of a command that Ctrl-C interrupts, even where a parent process ignores it."""
    program = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from scneuro.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    return [sys.executable, "-c", program]


@pytest.fixture(scope="session", autouse=True)
def cache_of_its_own(tmp_path_factory):
    """Builds of this run share a cache with each other, and with nobody else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCNEURO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
