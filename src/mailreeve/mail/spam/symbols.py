"""What do the symbols of rspamd say of a sender's authentication, and of viruses?

A symbol is the name of a test that the message met; its options are details, such as the domain. The names are
those of rspamd's own modules (rules.d, `modules/spf`, `modules/dkim`, `modules/dmarc`, `modules/antivirus`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from mailreeve.formats.header_text import printable

_RESULTS: Final = {
    "spf": {
        "R_SPF_ALLOW": "pass",
        "R_SPF_FAIL": "fail",
        "R_SPF_SOFTFAIL": "softfail",
        "R_SPF_NEUTRAL": "neutral",
        "R_SPF_NA": "none",
        "R_SPF_PERMFAIL": "permerror",
        "R_SPF_DNSFAIL": "temperror",
    },
    "dkim": {
        "R_DKIM_ALLOW": "pass",
        "R_DKIM_REJECT": "fail",
        "R_DKIM_NA": "none",
        "R_DKIM_PERMFAIL": "permerror",
        "R_DKIM_TEMPFAIL": "temperror",
    },
    "dmarc": {
        "DMARC_POLICY_ALLOW": "pass",
        "DMARC_POLICY_ALLOW_WITH_FAILURES": "pass",
        "DMARC_POLICY_REJECT": "fail",
        "DMARC_POLICY_QUARANTINE": "fail",
        "DMARC_POLICY_SOFTFAIL": "fail",
        "DMARC_NA": "none",
        "DMARC_BAD_POLICY": "permerror",
        "DMARC_DNSFAIL": "temperror",
    },
}
"""In the words of RFC 8601 section 2.7. Where several were met, as with two signatures, the first named counts."""

_DOMAIN: Final = re.compile(r"([A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}))(?::|\Z)")
_VIRUS: Final = re.compile(r"(?:CLAM(?:AV|D)?|[A-Z0-9]+(?:_[A-Z0-9]+)*_VIRUS)\Z")
_FOUND: Final = re.compile(r"virus found(?:: *\"?([^\"]*))?", re.IGNORECASE)
MAX_VIRUS: Final = 100  # characters of the name of a virus


def authentication_of(symbols: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The results of `spf`, `dkim` and `dmarc` as far as the engine told them, from symbols to their options; and
    as `dkim_domain` and `dmarc_domain` the domains that they are about, in lower case. Of SPF it is that of the
    envelope sender, or the name the client gave for a bounce, which the engine does not repeat."""
    found: dict[str, str] = {}
    for method, results in _RESULTS.items():
        for symbol, result in results.items():
            options = symbols.get(symbol)
            if options is None:
                continue
            found[method] = result
            domain = _DOMAIN.match(options[0]) if options and method != "spf" else None
            if domain is not None:
                found[f"{method}_domain"] = domain[1].lower().rstrip(".")
            break
    return found


def virus_of(symbols: Mapping[str, Sequence[str]], said: str = "") -> str:
    """What an antivirus found, empty where none found anything. `said` is the reply that the engine proposes."""
    for symbol, options in symbols.items():
        if _VIRUS.fullmatch(symbol):
            return printable(options[0], MAX_VIRUS) if options and options[0].strip() else symbol[:MAX_VIRUS]
    found = _FOUND.search(said)
    if found is None:
        return ""
    return printable(found[1] or "", MAX_VIRUS) or "virus"
