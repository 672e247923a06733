"""Which rules of an AdBlock list are about whole domains? Those, and no others, are what a web list can say.

`||host^` blocks a host and all below it, `@@||host^` allows them. All else is about parts of pages, about third
parties, or about patterns, of which a proxy or resolver knows nothing: it is named, and not taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from mailreeve.formats.filter_lists.rules import Lines, Read, Rule, Untaken
from mailreeve.formats.weburls import MAX_HOST

_DOMAIN: Final = re.compile(r"(?P<allows>@@)?\|\|(?P<host>[^/^$*|\s]+)\^?\|?(?:\$(?P<options>.+))?")
_COSMETIC: Final = re.compile(r"#@?[?$%]{0,2}#")
_WIDE: Final = frozenset(("all", "document", "doc", "popup", "important"))
"""Options that leave a rule about all of a domain. Others narrow it."""


def read_adblock(lines: Lines) -> Read:
    """The rules about whole domains. Of these a rule that allows comes before all that block, unless they say
    `$important`: those below what another allows are not taken, since for us the longer one would win."""
    allowed: dict[str, int] = {}
    blocks: list[Rule] = []
    for number, line in lines:
        text = line.strip()
        if not text or text.startswith(("!", "[")):
            continue
        found = _rule(number, text)
        if isinstance(found, Rule) and not found.allows:
            blocks.append(found)
            continue
        if isinstance(found, Rule):
            allowed.setdefault(found.text.lower(), number)
        yield found
    for rule in blocks:
        above = None if rule.final else next((one for one in _upwards(rule.text.lower()) if one in allowed), None)
        if above is None:
            yield rule
        else:
            reason = f"line {allowed[above]} allows {above}, which comes first in an AdBlock list"
            yield Untaken(rule.line, rule.text, reason)


def _rule(number: int, text: str) -> Rule | Untaken:
    if _COSMETIC.search(text):
        return Untaken(number, text, "it hides parts of pages, which a proxy does not see")
    found = _DOMAIN.fullmatch(text)
    if found is None:
        bare = text.removeprefix("@@")
        if bare.startswith("/") and bare.endswith("/"):
            return Untaken(number, text, "it is a regular expression")
        if "*" in bare:
            return Untaken(number, text, "it holds a wildcard")
        return Untaken(number, text, "it is not about a whole domain, as ||host^ is")
    if len(found["host"]) > MAX_HOST:
        return Untaken(number, text, f"its host is longer than {MAX_HOST} characters, as no name is")
    options = (found["options"] or "").lower().split(",") if found["options"] else []
    narrow = [option for option in options if option not in _WIDE]
    if narrow:
        return Untaken(number, text, f"its option {narrow[0]} narrows it to some requests")
    return Rule(number, found["host"], allows=bool(found["allows"]), final="important" in options)


def _upwards(host: str) -> Iterable[str]:
    while host:
        yield host
        host = host.partition(".")[2]
