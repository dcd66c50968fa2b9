"""What holds for ever of a population's hardware, around its datapath."""
from .rows import rows
from .inputs import inputs
from .spikes import progress, spikes
