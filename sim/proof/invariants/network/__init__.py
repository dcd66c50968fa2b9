"""What holds for ever of a network's hardware around its datapaths.

Each block is put next to a monitor of its own: the scan of spikes, the synapses, the populations,
and what is around them. What one assumes of another is claimed of that one, in the same words.
"""

from .access import access, memories
from .core import core
from .counts import counts
from .ends import ends
from .events import events
from .intake import intake
from .scan import scan
from .spikes import spikes
from .suite import few_sums, looped_network, prove_network, small_network
from .synapses import synapses

__all__ = [
    "access",
    "core",
    "counts",
    "ends",
    "events",
    "few_sums",
    "intake",
    "looped_network",
    "memories",
    "prove_network",
    "scan",
    "small_network",
    "spikes",
    "synapses",
]
