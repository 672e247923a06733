"""What makes a member's value valid? Each rule once: text in, value of the policy layer out.

Every function raises `ItemRefused` naming the field.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from mailreeve.formats.addresses import Address, AddressError, Domain, parse_address, parse_domain
from mailreeve.formats.networks import IPAddress, Network, parse_ip, parse_network
from mailreeve.policy.model.targets import BELOW, MOST_LABELS
from mailreeve.wire.errors import (
    BAD_ADDRESS,
    BAD_DATE,
    BAD_DOMAIN,
    BAD_IP,
    BAD_NETWORK,
    BAD_RANGE,
    TOO_LONG,
    ItemRefused,
    refused,
)


class Owner(Protocol):
    """Who has domains of their own."""

    def is_own(self, domain: Domain) -> bool:
        """Whether a domain is one of them."""


ETERNAL_FROM: Final = "1900-01-01T00:00:00+0000"
ETERNAL_TO: Final = "2100-01-01T23:59:59+0000"


def address(text: str, field: str) -> Address:
    """A mail address."""
    try:
        return parse_address(text)
    except AddressError as problem:
        raise refused(BAD_ADDRESS, field, f"{BAD_ADDRESS.message}: {problem}") from problem


def domain(text: str, field: str) -> Domain:
    """A domain, with or without a leading `@`."""
    try:
        return parse_domain(text.removeprefix("@"))
    except AddressError as problem:
        raise refused(BAD_DOMAIN, field, f"{BAD_DOMAIN.message}: {problem}") from problem


def domain_or_below(text: str, field: str) -> str:
    """A domain, or with a dot in front that domain and everything below it, by its key: `.shop.test`, `.zip` (ADR
    0045). Nothing else says so: an asterisk may have been written for a service where it has another meaning, or
    none."""
    bare = text.removeprefix("@")
    if bare.startswith("*."):
        message = f"{BAD_DOMAIN.message}: there are no wildcards; for it and all below it write {bare[1:]!r}"
        raise refused(BAD_DOMAIN, field, message)
    if not bare.startswith(BELOW):
        return domain(bare, field)
    if bare in (BELOW, ".."):
        raise refused(BAD_DOMAIN, field, f"{BAD_DOMAIN.message}: a dot alone names no domain")
    found = domain(bare[1:], field)
    if found.rpartition(".")[2].isdecimal():
        raise refused(BAD_DOMAIN, field, f"{BAD_DOMAIN.message}: an IP address has nothing below it")
    if found.count(".") >= MOST_LABELS:
        raise refused(BAD_DOMAIN, field, f"{BAD_DOMAIN.message}: it has more than {MOST_LABELS} labels")
    return BELOW + found


def mail_domain(text: str, field: str, owner: Owner) -> str:
    """A domain that mail policies and groups name, see `domain_or_below`. Without a dot in front they mean exactly
    that domain (D-04), so one that no address has would never meet anything, and whoever writes it means something
    else: a top-level domain all that is below it, digits and dots an IP address (RFC 1123 section 2.1). Such are
    refused, but for a name of one label that is the account's own or is written with a final dot, `corp.`, which
    says that it is the whole name (RFC 1034 section 3.1)."""
    found = domain_or_below(text, field)
    if found.startswith(BELOW):
        return found
    if found.rpartition(".")[2].isdecimal():
        message = f"{BAD_DOMAIN.message}: an IP address is no domain; use conditions.sourceIPs"
        raise refused(BAD_DOMAIN, field, message)
    if "." not in found and not text.endswith(".") and not owner.is_own(Domain(found)):
        message = (
            f"{BAD_DOMAIN.message}: it would mean addresses at exactly {found!r}, none of the domains below it; "
            f"if that is meant, write {found + '.'!r}, and for all of these {'.' + found!r}"
        )
        raise refused(BAD_DOMAIN, field, message)
    return found


def written_out(given: Address, field: str) -> Address:
    """An address that stands for itself. An asterisk is legal in one (RFC 5322 section 3.2.3), but whoever writes
    it means a pattern, and the policy would never meet anything."""
    if "*" in given.local:
        message = f"{BAD_ADDRESS.message}: there are no wildcards; name the domain instead"
        raise refused(BAD_ADDRESS, field, message)
    return given


def network(text: str, field: str) -> Network:
    """An address range in CIDR notation. Host bits are dropped: `8.8.8.8/24` is accepted as it is
    (api.md section 3.0.3); an address without a length stands for itself."""
    try:
        return parse_network(text)
    except ValueError as problem:
        raise refused(BAD_NETWORK, field, f"{BAD_NETWORK.message}: {text[:64]}") from problem


def ip(text: str, field: str) -> IPAddress:
    """An IPv4 or IPv6 address."""
    try:
        return parse_ip(text)
    except ValueError as problem:
        raise refused(BAD_IP, field) from problem


def moment(text: str, field: str) -> datetime:
    """A point in time: ISO 8601 with `+0000`, `+00:00` or `Z`, with or without fractions; without a zone it is
    UTC (api.md section 1.8; clients.md). The result is in UTC, in whole seconds."""
    try:
        value = datetime.fromisoformat(text)
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        raise refused(BAD_DATE, field, f"{BAD_DATE.message}: write it like 2026-12-01T09:00") from problem
    return value.replace(microsecond=0)


_AGO: Final = re.compile(r"(\d{1,6})\s*([mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment_or_ago(text: str, field: str, now: datetime) -> datetime:
    """A point in time, or how long ago it was: `30m`, `12h`, `7d`, `2w`."""
    try:
        if ago := _AGO.fullmatch(text.strip().lower()):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return moment(text, field)
    except (ItemRefused, OverflowError) as problem:
        message = f"{BAD_DATE.message}: write 30m, 12h, 7d or 2w, or a time such as 2026-12-01T09:00"
        raise refused(BAD_DATE, field, message) from problem


def period(start: str | None, end: str | None, now: datetime) -> tuple[datetime, datetime]:
    """From when until when a log is asked for by its members `from` and `to`: without these from the beginning of
    the day, in UTC, until now."""
    since = now.replace(hour=0, minute=0, second=0, microsecond=0) if start is None else moment(start, "from")
    until = now if end is None else moment(end, "to")
    if since > until:
        raise refused(BAD_RANGE, "from")
    return since, until


def written(value: datetime) -> str:
    """A point in time as answers have it: `2015-11-16T14:49:18+0000`, never `Z`, never fractions
    (api.md section 1.8)."""
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "+0000")


def short(text: str, field: str, most: int) -> str:
    """A text of at most `most` characters."""
    if len(text) > most:
        raise refused(TOO_LONG, field, f"Field is longer than {most} characters")
    return text
