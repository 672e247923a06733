"""What did the server in front find about SPF, DKIM and DMARC (RFC 8601)?

Servers that check a message write what they found into `Authentication-Results`, under an id of theirs, and so can
anybody who makes one up. Which of them count:

- Only fields under an id that an administrator has listed, and only where the client that hands in the message is
  one of the account's servers. The door knows that (`AskedResults.believed`).
- The topmost of these fields, and those below it as far as the next `Received`. Each server puts its own
  `Received` and its results on top of what it got, so what a stranger wrote stands below those of the server in
  front, and most often behind another `Received`.
- Of each method the results of the topmost field that has any. What a stranger wrote right below can neither speak
  against the server's own nor add to it, such as a signature that passes, or SPF for a sender.

So a forged field could count only for a method that the server in front never reports. It shall report all three,
and take out fields that claim its id before it adds its own (RFC 8601 section 5); the usual programs do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from mailreeve.formats.addresses import Address, Sender
from mailreeve.formats.authentication_results import MethodResult, authserv_id_of, read_results
from mailreeve.formats.message import Message
from mailreeve.policy.model.authentication import Authentication

FIELD: Final = "authentication-results"
MOST_FIELDS: Final = 8
"""So many fields of the server in front are read: it writes one for each of its filters."""


class AskedResults(Struct, frozen=True):
    """Under which ids results are asked for, see `authserv_id`, and whether who hands in the message is believed:
    where not, nothing is found that would vouch for it. Without any id nobody is asked."""

    ids: frozenset[str] = frozenset()
    believed: bool = False


ASKS_NOBODY: Final = AskedResults()


class FoundResults(Struct, frozen=True):
    """What was found: None if nobody is asked. `places` are those of the fields that count, among all fields of
    the message, and `asked` the ids under which they may stand."""

    authentication: Authentication | None = None
    places: frozenset[int] = frozenset()
    asked: frozenset[str] = frozenset()


NOBODY_ASKED: Final = FoundResults()


def authserv_id(text: str) -> str:
    """The form in which ids are compared: as domains, which most of them are."""
    return text.strip().rstrip(".").casefold()


def results_in(message: Message, asked: AskedResults) -> FoundResults:
    """The results that the message brings."""
    if not asked.ids:
        return NOBODY_ASKED
    if not asked.believed:
        return FoundResults(Authentication(), asked=asked.ids)
    found: dict[str, Sequence[MethodResult]] = {}
    places: set[int] = set()
    for place, field in enumerate(message.fields):
        if field.name == "received" and places:
            break
        if field.name == FIELD and authserv_id_of(field.value) in asked.ids:
            places.add(place)
            read = read_results(field.value)
            for method, results in _by_method(() if read is None else read.results).items():
                found.setdefault(method, results)
            if len(places) == MOST_FIELDS:
                break
    return FoundResults(_authentication(found), frozenset(places), asked.ids)


def _by_method(results: Sequence[MethodResult]) -> dict[str, list[MethodResult]]:
    found: dict[str, list[MethodResult]] = {}
    for one in results:
        found.setdefault(one.method, []).append(one)
    return found


def _authentication(found: Mapping[str, Sequence[MethodResult]]) -> Authentication:
    spf = found.get("spf", ())
    # That of the envelope sender counts before that of the client's name.
    by_sender = next((one for one in spf if _sender_of(one)), next(iter(spf), None))
    dmarc = next(iter(found.get("dmarc", ())), None)
    return Authentication.from_results(
        spf=None if by_sender is None else by_sender.result,
        spf_domain="" if by_sender is None else _sender_of(by_sender) or by_sender.properties.get("smtp.helo", ""),
        dkim=[(one.result, _signer(one)) for one in found.get("dkim", ())],
        dmarc=None if dmarc is None else dmarc.result,
        dmarc_domain="" if dmarc is None else dmarc.properties.get("header.from", ""),
    )


def _sender_of(one: MethodResult) -> str:
    return one.properties.get("smtp.mailfrom") or one.properties.get("smtp.mail", "")


def _signer(one: MethodResult) -> str:
    return one.properties.get("header.d") or one.properties.get("header.i", "")


def found_by_engine(said: Mapping[str, str], sender: Sender) -> Authentication:
    """What a spam engine found, as `spam.symbols.authentication_of` tells it. Of SPF it does not repeat the
    domain: that of the envelope sender."""
    signer = said.get("dkim_domain", "")
    return Authentication.from_results(
        spf=said.get("spf"),
        spf_domain=str(sender.domain) if isinstance(sender, Address) else "",
        dkim=[(said["dkim"], signer)] if "dkim" in said else [],
        dmarc=said.get("dmarc"),
        dmarc_domain=said.get("dmarc_domain", ""),
    )
