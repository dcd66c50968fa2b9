"""The documentation of the link has the tables that its messages make."""

from pathlib import Path

from scneuro.link.messages import FIRST_MEMORY, REPLY, REQUEST, Region
from scneuro.link.text import protocol

PAGE = Path(__file__).parents[1] / "docs" / "link.md"


def test_the_page_has_the_tables_as_they_are():
    _, _, rest = PAGE.read_text().partition("<!-- scneuro.link.text.protocol() -->\n")
    tables, _, _ = rest.partition("\n<!-- end -->")
    assert tables == protocol()


def test_headers_are_whole_bytes_and_regions_apart():
    for layout in (REQUEST, REPLY):
        assert sum(layout.values()) % 8 == 0
    assert max(Region) < FIRST_MEMORY
