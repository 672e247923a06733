"""The URLs of web lists are those of the WHATWG URL Standard: vectors of the web platform tests.

`wpt_urls.json` is a part of their `urltestdata.json` and says which; BSD-3-Clause.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mailreeve.formats.weburls import UrlError, parse_web_url

_VECTORS = json.loads((Path(__file__).parent / "wpt_urls.json").read_text())["vectors"]


@pytest.mark.parametrize(("text", "host", "path", "query"), _VECTORS, ids=lambda value: ascii(value))
def test_a_url_of_the_web_platform_tests_is_read_as_they_say(text, host, path, query):
    """Host and query are theirs; so is the path, but for what no list distinguishes: slashes at its end."""
    if host is None:
        with pytest.raises(UrlError):
            parse_web_url(text)
        return
    url = parse_web_url(text)
    assert url.host == host
    assert url.path == path.rstrip("/")
    assert url.query == re.sub(r"^\?", "", query)
