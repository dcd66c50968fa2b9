"""The synthesised netlist is the same machine, and one that is not is told."""

import pytest

from scneuro import LIF
from scneuro.boards.families import ECP5
from scneuro.errors import ToolError
from scneuro.hdl import build
from scneuro.load import make_neuron
from scneuro.sim.chip import netlist, netlist_parity

pytestmark = [pytest.mark.slow, pytest.mark.compiler]


@pytest.mark.parametrize(
    ("name", "device"),
    [("lif", "hx8k"), ("noisy_lif", "up5k"), ("adex", "ecp5-85k")],
)
def test_a_netlist_equals_the_model_in_every_bit(name, device):
    result = netlist_parity(make_neuron(name), device, steps=20_000, progress=False)
    assert result.ok, str(result)
    assert result.steps == 20_000
    registers = make_neuron(name).fixed().lowered.registers.values()
    assert result.bits == 20_000 * (1 + 16 + sum(r.width for r in registers))


def test_the_netlist_of_another_neuron_differs():
    other = LIF(tau_m=20.5)
    library = netlist.netlist_library(build(other, other.fixed(), dsp=0), "hx8k")
    result = netlist_parity(LIF(), "hx8k", steps=2_000, library=library, progress=False)
    assert not result.ok
    assert f"at step {result.mismatch.step}" in str(result) or "DIFFERS" in str(result)


def test_a_cell_used_in_a_way_that_has_no_model_is_an_error(monkeypatch):
    ((name, cells),) = ECP5.model_files().items()
    assert cells.count('REG_PIPELINE_CLK != "NONE"') == 1
    broken = {name: cells.replace('REG_PIPELINE_CLK != "NONE"', "1")}
    monkeypatch.setattr(type(ECP5), "model_files", lambda _: broken)
    neuron = make_neuron("izhikevich")
    with pytest.raises(ToolError, match="unsupported_use"):
        netlist.netlist_library(build(neuron, neuron.fixed(), dsp=156), "ecp5-85k")
