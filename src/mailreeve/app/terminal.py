"""Text that others wrote, made safe for a terminal or a log: all of it is shown, but nothing that acts.

A terminal carries out escape sequences, and shows text in another order than it is written where it is told so.
Policies, addresses and headers are written by people who are not at the terminal, some of them strangers. So all
that commands print and the log holds goes through here.
"""

from __future__ import annotations

import re
from typing import Final

# Controls of C0 and C1, soft hyphens, direction and zero-width marks, line ends of Unicode, tags, halves of
# surrogates. Not the joiners and variation selectors that scripts and emoji need.
_ACTS: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_SPACE: Final = re.compile(r"[\t\n\v\f\r]+")


def escaped(text: str) -> str:
    r"""The text with what a terminal would act upon written out, as `\u001b`; tabs and line ends stay.

    In JSON that is another spelling of the same text.
    """
    return text if text.isascii() and text.isprintable() else _ACTS.sub(_written_out, text)


def escaped_line(text: str) -> str:
    """The text escaped, on one line: what people typed must not look like a line of ours."""
    return escaped(_SPACE.sub(" ", text))


def _written_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code > 0xFFFF:
        high, low = divmod(code - 0x10000, 0x400)
        return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
    return f"\\u{code:04x}"


def said_of(problem: Exception) -> str:
    """An exception in a line. Of what the system refused: the file, and why."""
    if isinstance(problem, OSError) and problem.strerror:
        text = problem.strerror if problem.filename is None else f"{problem.filename}: {problem.strerror}"
    else:
        text = str(problem)
    return " ".join(text.split())
