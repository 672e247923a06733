"""What is known of who a message really comes from, and what is to follow from that?

SPF, DKIM and DMARC, as somebody found them who could: a server in front, or a spam engine. Nothing is looked up
here. The one rule of what they vouch for is `Authentication.vouches_for`; who asks is in `index.vouching`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from msgspec import Struct

from mailreeve.formats.addresses import AddressError, parse_domain
from mailreeve.formats.organisations import are_aligned

MAX_SIGNATURES: Final = 8
"""Signatures of a message that are kept; those that pass come first. A message has one or two."""


class Result(StrEnum):
    """What a check came to (RFC 8601 section 2.7)."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    POLICY = "policy"
    NONE = "none"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


_RESULTS: Final = {one.value: one for one in Result} | {
    "hardfail": Result.FAIL,  # until RFC 7001
    "bestguesspass": Result.NONE,  # somebody's guess where no record is published: nobody said it
}


class Signature(Struct, frozen=True, gc=False):
    """A DKIM signature: what checking it came to, and the domain that signed, empty where that is not known."""

    result: Result
    domain: str = ""


class Authentication(Struct, frozen=True, gc=False, omit_defaults=True):
    """What was found about one message. A result is None where nobody said any; domains are canonical, or empty.

    `spf_domain` is that of the envelope sender, or of the client's name where there is no sender; `dmarc_domain`
    that of the From header. A value without any result says that who is asked found nothing. `is_supposed` is for
    asking what could be at best: everything is vouched for.
    """

    spf: Result | None = None
    spf_domain: str = ""
    dkim: tuple[Signature, ...] = ()
    dmarc: Result | None = None
    dmarc_domain: str = ""
    is_supposed: bool = False

    @staticmethod
    def from_results(
        spf: str | None = None,
        spf_domain: str = "",
        dkim: Iterable[tuple[str, str]] = (),
        dmarc: str | None = None,
        dmarc_domain: str = "",
    ) -> Authentication:
        """The value for results as programs write them: `pass`, `fail`, …; of signatures with the domain that
        signed. A result that is none counts as unsaid, a domain that is none as unknown. Nothing raises."""
        signatures = [
            Signature(result, _domain(domain)) for text, domain in dkim if (result := _result(text)) is not None
        ]
        signatures.sort(key=lambda one: one.result is not Result.PASS)
        of_spf, of_dmarc = _result(spf), _result(dmarc)
        return Authentication(
            spf=of_spf,
            spf_domain="" if of_spf is None else _domain(spf_domain),
            dkim=tuple(dict.fromkeys(signatures))[:MAX_SIGNATURES],
            dmarc=of_dmarc,
            dmarc_domain="" if of_dmarc is None else _domain(dmarc_domain),
        )

    @property
    def is_empty(self) -> bool:
        """Whether it holds no result at all."""
        return self.spf is None and not self.dkim and self.dmarc is None

    def spf_passes(self) -> bool:
        """Whether SPF passed, for whatever domain."""
        return self.is_supposed or (self.spf is Result.PASS and bool(self.spf_domain))

    def spf_vouches_for(self, domain: str) -> bool:
        """Whether SPF passed for the organisation of a domain."""
        return self.is_supposed or (self.spf_passes() and are_aligned(self.spf_domain, domain))

    def vouches_for(self, domain: str) -> bool:
        """Whether who writes in the name of a domain was found to do so rightly: DMARC passes for it, or SPF or a
        signature passes that is aligned with it (relaxed, by the organisational domain; RFC 7489 section 3.1)."""
        if self.spf_vouches_for(domain):
            return True
        if self.dmarc is Result.PASS and self.dmarc_domain == domain:
            return True
        return any(
            one.result is Result.PASS and one.domain and are_aligned(one.domain, domain) for one in self.dkim
        )


SUPPOSED: Final = Authentication(is_supposed=True)
"""At best everything is vouched for. For asking whether a message could be delivered at all."""


class PermitNeeds(StrEnum):
    """When a permit asks for authentication: of any message, of one whose authentication is judged by somebody, or
    only where an internal sender is claimed, which it does in any case."""

    ALWAYS = "always"
    WHEN_KNOWN = "when_known"
    NEVER = "never"


class AuthenticationRules(Struct, frozen=True, gc=False):
    """How authentication is treated here. `is_judged` says that somebody is asked about it: then it may become
    known with the content of a message, and what nobody vouches for counts as forged."""

    permits: PermitNeeds = PermitNeeds.WHEN_KNOWN
    is_judged: bool = False


UNJUDGED: Final = AuthenticationRules()


def _result(text: str | None) -> Result | None:
    return None if text is None else _RESULTS.get(text.strip().casefold())


def _domain(text: str) -> str:
    """The domain of what may be an address, empty where it is none."""
    try:
        return parse_domain(text.strip().rpartition("@")[2])
    except AddressError:
        return ""
