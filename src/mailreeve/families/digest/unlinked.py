"""What a stranger wrote, so that no mail program makes a link of it.

Mail programs turn what looks like an address into something to press, in plain text and in HTML alike. A digest is
about mail that nobody trusts: a subject such as `pay-here.test` must not become a link in a mail of ours. Where an
address has its dot, colon, at sign or double backslash a hair space follows: readers see what was written, and
what looks for links sees words.

It is white space, and no character without width: browsers take those out of a host name (UTS 46 section 4), so
that a program which did not stop at one would lead there all the same.
"""

from __future__ import annotations

import re
from typing import Final

HAIR_SPACE: Final = "\u200a"

# The other full stops are dots in a host name as well (RFC 3490 section 3.1).
_WITHIN: Final = re.compile(r"(?<=\S)([.:@\u3002\uff0e\uff61])(?=\S)|(\\\\)(?=\S)")


def unlinked(text: str) -> str:
    """The text with nothing in it that is made a link of."""
    return _WITHIN.sub(lambda found: found[0] + HAIR_SPACE, text)
