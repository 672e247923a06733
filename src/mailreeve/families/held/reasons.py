"""Why is a message held, and why was it turned down, in the words that clients know (api.md section 3.11)?"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from msgspec import Struct

from mailreeve.families.tracking.outcomes import LAYER_NEXT_HOP
from mailreeve.policy.model.policy_types import Layer
from mailreeve.wire.errors import NOT_ALLOWED, refused

_POLICIES: Final = {
    "spam": "Spam Signature",
    "malformed": "Malformed Message",
    "anti_spoofing": "Anti-Spoofing",
    LAYER_NEXT_HOP: "Undeliverable Message",
}
_NO_LETTERS: Final = re.compile(r"[^A-Za-z0-9]+")

REASON_TYPES: Final = (
    "MESSAGE CONTAINS UNDESIRABLE CONTENT",
    "MESSAGE CONTAINS CONFIDENTIAL INFORMATION",
    "REVIEWER DISAPPROVES OF CONTENT",
    "INAPPROPRIATE COMMUNICATION",
    "MESSAGE GOES AGAINST EMAIL POLICIES",
)
"""Why a message is turned down (behaviour.md section 8.1)."""


class Reason(Struct, frozen=True):
    """Why a message is held: for readers, and as two codes."""

    text: str
    id: str
    code: str


@lru_cache(maxsize=64)  # a page of a list asks for the same few again and again
def reason_of(cause: str) -> Reason:
    """The reason for a layer that holds mail."""
    policy = _POLICIES.get(cause) or cause.replace("_", " ").title()
    text = f"Message Hold Applied - {policy} policy"
    code = _NO_LETTERS.sub("_", text)
    return Reason(text, code.upper(), code.lower())


def causes_of(text: str) -> list[str]:
    """The layers whose reason has the text in it, or in its codes."""
    wanted = _NO_LETTERS.sub("_", text.strip()).lower()
    return [cause for cause in (*_POLICIES, *map(str, Layer)) if wanted in reason_of(cause).code]


def reason_type(text: str, field: str) -> str:
    """The reason for turning a message down, however a client spells it: some write small letters and underscores
    (api.md section 8). Raises `ItemRefused`."""
    found = " ".join(text.replace("_", " ").split()).upper()
    if found not in REASON_TYPES:
        raise refused(NOT_ALLOWED, field, f"Field must be one of [{','.join(REASON_TYPES)}]")
    return found
