"""The page of a watch, and what serves it, by bokeh."""

from importlib.util import find_spec

from ....errors import ScneuroError

if find_spec("bokeh") is None:
    raise ScneuroError("the page needs bokeh", 'pip install "scneuro[live]"')
