"""One hypothesis profile for everyone: the same examples on every machine, and no deadline."""

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("ci")
