"""What does the text of a header field say to a reader? Text in, readable text out; a stranger wrote it."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Final

# In runs, since one character may be parted between two words; not longer ones, since the library's time
# grows with the square of their number.
_ENCODED_WORDS: Final = re.compile(r"(?:=\?[^?\s]*\?[bBqQ]\?[^?]*\?=\s*){1,200}")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def decoded_words(text: str) -> str:
    """The text with its encoded words (RFC 2047) decoded, wherever they stand; broken ones as they are."""
    return _ENCODED_WORDS.sub(lambda run: _decode_run(run[0]), text) if "=?" in text else text


def _decode_run(run: str) -> str:
    words = run.rstrip()
    try:
        parts = decode_header(words)
    except (HeaderParseError, ValueError):
        return run
    text = ""
    for part, charset in parts:
        if isinstance(part, str):
            text += part
            continue
        try:
            text += part.decode(charset or "utf-8", "replace")
        except (LookupError, ValueError):  # no such charset, or no name for one
            text += part.decode("latin-1")
    # White space after the last word parts it from what follows.
    return text + run[len(words) :]


def printable(text: str, limit: int) -> str:
    """The text on one line without control characters or broken Unicode, cut to `limit` characters."""
    return " ".join(_CONTROLS.sub(" ", text).split())[:limit]
