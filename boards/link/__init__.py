"""The host's side of the link: from a port to the chip behind it."""

from typing import TYPE_CHECKING

from ...tools.on_demand import on_demand

if TYPE_CHECKING:
    from .chip import Chip
    from .connection import connect
    from .neuron import NeuronChip
    from .port import LinkError, Port

__all__ = ["Chip", "LinkError", "NeuronChip", "Port", "connect"]

_WHERE = {
    "Chip": "chip",
    "LinkError": "port",
    "NeuronChip": "neuron",
    "Port": "port",
    "connect": "connection",
}

__getattr__, __dir__ = on_demand(__name__, _WHERE)
