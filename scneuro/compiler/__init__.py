"""From ``update()`` to an integer datapath, and from there to a pipeline: no Amaranth in it."""
