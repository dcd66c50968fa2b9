"""What holds for ever of a population's hardware around its datapath.

The gates of a few neurons are put next to a monitor that counts rows and steps. Memories are
followed in one row, the queue in one entry: any one, so what is shown of it is shown of all.
"""

from .inputs import inputs
from .reset import reset
from .rows import rows
from .spikes import progress, spikes
from .suite import prove_population, small

__all__ = ["inputs", "progress", "prove_population", "reset", "rows", "small", "spikes"]
