"""A datapath as adders, in stages."""
