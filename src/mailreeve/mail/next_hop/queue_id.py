"""Under which id does the next hop have a message? Its answer says so, each program in words of its own."""

from __future__ import annotations

import re
from typing import Final

MAX_QUEUE_ID: Final = 128

_ID: Final = rf"([A-Za-z0-9][A-Za-z0-9._/-]{{3,{MAX_QUEUE_ID - 1}}})"
_SAID: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\bqueued as {_ID}",  # Postfix, Haraka
        rf"\bid={_ID}",  # Exim
        rf"\bInternalId={_ID}",  # Exchange
        rf"\bstored as {_ID}",  # a Maildir of ours
        rf"\A(?:\d\d\d )?(?:\d\.\d+\.\d+ )?{_ID} Message accepted",  # sendmail, OpenSMTPD
        rf"\bok \d+ qp {_ID}",  # qmail
    )
)


def queue_id(said: str) -> str:
    """The id in the answer of the next hop, empty where it gives none that is known."""
    return next((found[1] for pattern in _SAID if (found := pattern.search(said))), "")
