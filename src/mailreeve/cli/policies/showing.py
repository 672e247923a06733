"""What is shown of policies: a line each in a list, all of one on its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mailreeve.cli import times
from mailreeve.cli.listing import Object, Table
from mailreeve.cli.policies.targets import shown
from mailreeve.cli.tables import Column

_TYPES: Final = {
    "block_sender": "block",
    "no_action": "exempt",
    "permit": "permit",
}
_STATES: Final = {"active": "on", "disabled": "off", "expired": "ended", "pending": "waits"}


def does(policy: Object) -> str:
    """What a policy does, in a word."""
    by_type = {"address_alteration": "alter", "spam_scanning": "spam", "web_lists": "web"}
    return by_type.get(str(policy.get("type")), _TYPES.get(str(policy.get("does")), str(policy.get("does"))))


def state(policy: Object) -> str:
    """Whether it is in force, in a word."""
    return _STATES.get(str(policy.get("state")), str(policy.get("state")))


def side(policy: Object, name: str) -> str:
    """Whom a side names; of several the first and how many more."""
    named = targets(policy, name)
    if not named:
        return "-"
    return named[0] if len(named) == 1 else f"{named[0]} +{len(named) - 1}"


def targets(policy: Object, name: str) -> list[str]:
    """All that a side names, each once."""
    value = policy.get(name)
    several = value if isinstance(value, list) else []
    return list(dict.fromkeys(shown(one) for one in several if isinstance(one, dict)))


def validity(policy: Object) -> str:
    """From when until when it holds; empty for always."""
    starts, ends = (str(policy.get(name) or "")[:10] for name in ("fromDate", "toDate"))
    if starts and ends:
        return f"{starts} to {ends}"
    return f"from {starts}" if starts else f"to {ends}" if ends else ""


def _cells(policy: Object, ids: Mapping[str, str]) -> list[str]:
    return [
        ids[str(policy["id"])],
        does(policy),
        state(policy),
        side(policy, "from"),
        side(policy, "to") if policy.get("type") != "web_lists" else "-",
        str(policy.get("description", "")),
        validity(policy),
    ]


_COLUMNS: Final = (
    Column("id"),
    Column("does"),
    Column("is"),
    Column("from", 4),
    Column("to", 3),
    Column("description", 5),
    Column("valid", if_any=True),
)
TABLE: Final = Table(("policy", "policies"), _COLUMNS, _cells)


def sentence(policy: Object) -> str:
    """A policy in a line: what it does, for whom, and until when."""
    sides = side(policy, "from")
    if policy.get("type") != "web_lists":
        sides += f" to {side(policy, 'to')}"
    valid = validity(policy)
    return f"{does(policy)} {sides}{f', {valid}' if valid else ''}"


def members(policy: Object) -> list[tuple[str, str]]:
    """All that is to be known of a policy, with what each is called."""
    flags = [
        words
        for name, words in (
            ("override", "overrides narrower ones"),
            ("bidirectional", "both ways"),
            ("immutable", "cannot be changed"),
        )
        if policy.get(name)
    ]
    source_ips = policy.get("sourceIPs")
    found = [
        ("description", str(policy.get("description", ""))),
        ("comment", str(policy.get("comment", ""))),
        ("type", str(policy.get("type", "")).replace("_", " ")),
        ("does", str(policy.get("does", ""))),
        ("is", f"{state(policy)}{'' if policy.get('enabled') else ', disabled'}".replace("off, disabled", "off")),
        ("from", ", ".join(targets(policy, "from"))),
        ("by", str(policy.get("fromPart", "")).replace("_", " ")),
        ("to", ", ".join(targets(policy, "to"))),
        ("starts", times.shown(policy.get("fromDate"))),
        ("ends", times.shown(policy.get("toDate"))),
        ("source", ", ".join(map(str, source_ips)) if isinstance(source_ips, list) else ""),
        ("also", ", ".join(flags)),
        ("made", times.shown(policy.get("createTime"))),
        ("changed", times.shown(policy.get("lastUpdated"))),
        ("id", str(policy.get("id", ""))),
    ]
    return [(name, text) for name, text in found if text]
