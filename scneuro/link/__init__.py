"""The link between a host and a chip: its messages and the memories that they reach, as data."""
