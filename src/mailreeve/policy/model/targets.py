"""Whom does a policy name, on either side, and how narrowly?

The nine target types are those of the blocked sender pages (behaviour.md section 2.2). The rank is
ours where the sources leave it open: D-01 places free-mail domains and display names.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final

from msgspec import Struct


class TargetType(StrEnum):
    """The `type` of a policy target, spelled as on the wire."""

    # Enum's own hash is a function in Python, asked at every look-up by a member.
    __hash__ = str.__hash__

    EVERYONE = "everyone"
    INTERNAL_ADDRESSES = "internal_addresses"
    EXTERNAL_ADDRESSES = "external_addresses"
    FREE_MAIL_DOMAINS = "free_mail_domains"
    EMAIL_DOMAIN = "email_domain"
    PROFILE_GROUP = "profile_group"
    ADDRESS_ATTRIBUTE_VALUE = "address_attribute_value"
    INDIVIDUAL_EMAIL_ADDRESS = "individual_email_address"
    HEADER_DISPLAY_NAME = "header_display_name"


RANK: Final[dict[TargetType, int]] = {
    TargetType.EVERYONE: 1,
    TargetType.INTERNAL_ADDRESSES: 2,
    TargetType.EXTERNAL_ADDRESSES: 3,
    TargetType.FREE_MAIL_DOMAINS: 4,
    TargetType.EMAIL_DOMAIN: 5,
    TargetType.PROFILE_GROUP: 6,
    TargetType.ADDRESS_ATTRIBUTE_VALUE: 7,
    TargetType.INDIVIDUAL_EMAIL_ADDRESS: 8,
    TargetType.HEADER_DISPLAY_NAME: 8,
}
"""How narrow a target is: the higher, the narrower (behaviour.md section 2.2)."""


BELOW: Final = "."
"""What the key of a domain with everything below it begins with: `.shop.test`, `.zip` (ADR 0045)."""

MOST_LABELS: Final = 99
"""Labels of a domain that is named with everything below it, at most."""

_REMEMBERED_LABELS: Final = 8

EVERYONE_KEY: Final = "*"
INTERNAL_KEY: Final = "*internal"
EXTERNAL_KEY: Final = "*external"
FREE_MAIL_KEY: Final = "*free"
GROUP_KEY: Final = "*group:"
ATTRIBUTE_KEY: Final = "*attribute:"
NAME_KEY: Final = "*name:"
"""What target keys begin with, or are. No address and no domain begins with an asterisk, so these are nobody's
own key."""

_ADDRESS: Final = TargetType.INDIVIDUAL_EMAIL_ADDRESS
_DOMAIN: Final = TargetType.EMAIL_DOMAIN
_FIXED: Final[dict[TargetType, str]] = {
    TargetType.EVERYONE: EVERYONE_KEY,
    TargetType.INTERNAL_ADDRESSES: INTERNAL_KEY,
    TargetType.EXTERNAL_ADDRESSES: EXTERNAL_KEY,
    TargetType.FREE_MAIL_DOMAINS: FREE_MAIL_KEY,
}
_PREFIX: Final[dict[TargetType, str]] = {
    TargetType.PROFILE_GROUP: GROUP_KEY,
    TargetType.HEADER_DISPLAY_NAME: NAME_KEY,
    TargetType.ADDRESS_ATTRIBUTE_VALUE: ATTRIBUTE_KEY,
}


class Target(Struct, frozen=True, gc=False):
    """One side of a scope. `key` is what an address must have among its keys for the target to match it: for a
    domain and an address these themselves, for all others something that begins with an asterisk."""

    type: TargetType
    key: str

    @staticmethod
    def of(type: TargetType, value: str = "", attribute: str = "") -> Target:
        """The target of this type. `value` is already canonical and empty for the types that need none:

        - `email_domain`: a canonical `Domain`, with a dot in front for everything below it as well
        - `individual_email_address`: the `key` of an `Address`
        - `profile_group`: the group's id in the store
        - `header_display_name`: the name as `display_names.fold_display_name` gives it
        - `address_attribute_value`: the wanted value, case-folded (D-41); `attribute` is the attribute's id
        """
        return Target(type, _key(type, value, attribute))

    @property
    def value(self) -> str:
        """What the target was made of, see `of`."""
        if self.type in _FIXED:
            return ""
        text = self.key[len(_PREFIX.get(self.type, "")) :]
        return text.partition("\0")[2] if self.type is TargetType.ADDRESS_ATTRIBUTE_VALUE else text

    @property
    def attribute(self) -> str:
        """The attribute's id, empty where the target is about none."""
        if self.type is not TargetType.ADDRESS_ATTRIBUTE_VALUE:
            return ""
        return self.key[len(ATTRIBUTE_KEY) :].partition("\0")[0]

    @property
    def rank(self) -> float:
        """How narrow this target is: as `RANK` has it, but for a domain with everything below it. That comes
        before free-mail domains and after a single domain, the longer the narrower."""
        return RANK[self.type] if self.type is not _DOMAIN else domain_rank(self.key)


def domain_rank(key: str) -> float:
    """How narrow a domain is, or one with everything below it: so many hundredths above free-mail domains as it
    has labels."""
    if key[:1] != BELOW:
        return RANK[_DOMAIN]
    return RANK[TargetType.FREE_MAIL_DOMAINS] + min(key.count(BELOW), MOST_LABELS) / 100


def around(domain: str) -> tuple[str, ...]:
    """The keys of the domains that hold this one with everything below them: `.shop.test` and `.test` of
    `shop.test`. Those with the most labels come first."""
    return _around(domain) if domain.count(BELOW) < _REMEMBERED_LABELS else _found_around(domain)


def is_wide(target: Target) -> bool:
    """Whether the target is a domain with everything below it."""
    return target.type is _DOMAIN and target.key[:1] == BELOW


def is_around(key: str, domain: str) -> bool:
    """Whether the key is that of a domain with everything below it, and the other domain is among these."""
    return key[:1] == BELOW and f".{domain}".endswith(key)


def _found_around(domain: str) -> tuple[str, ...]:
    if domain[:1] in ("[", BELOW):  # an address has no domains around it
        return ()
    found = [BELOW + domain]
    at = domain.find(BELOW)
    while at >= 0:
        found.append(domain[at:])
        at = domain.find(BELOW, at + 1)
    return tuple(found)


_around: Final = lru_cache(maxsize=16_384)(_found_around)


def group_key(group: str) -> str:
    """The key of those who are in a group."""
    return GROUP_KEY + group


def attribute_key(attribute: str, value: str) -> str:
    """The key of those who have a value of an attribute."""
    return f"{ATTRIBUTE_KEY}{attribute}\0{value}"


def name_key(folded: str) -> str:
    """The key of those who call themselves so."""
    return NAME_KEY + folded


def _key(type_: TargetType, value: str, attribute: str) -> str:
    if type_ is _ADDRESS or type_ is _DOMAIN:
        return value  # exact, subdomains are not covered (behaviour.md D-04) but where a dot in front says so
    if type_ is TargetType.PROFILE_GROUP:
        return group_key(value)
    if type_ is TargetType.ADDRESS_ATTRIBUTE_VALUE:
        return attribute_key(attribute, value)
    if type_ is TargetType.HEADER_DISPLAY_NAME:
        return name_key(value)
    return _FIXED[type_]


EVERYONE: Final = Target(TargetType.EVERYONE, EVERYONE_KEY)
INTERNAL: Final = Target(TargetType.INTERNAL_ADDRESSES, INTERNAL_KEY)
EXTERNAL: Final = Target(TargetType.EXTERNAL_ADDRESSES, EXTERNAL_KEY)


_COMMON: Final = {type_: Target(type_, key) for type_, key in _FIXED.items()}


def shared_target(type_: TargetType, value: str = "", attribute: str = "") -> Target:
    """As `Target.of`, of which there is but one where many policies name the same."""
    if type_ is _ADDRESS or type_ is _DOMAIN:
        return Target(type_, value)
    common = _COMMON.get(type_)
    return _remembered(type_, value, attribute) if common is None else common


@lru_cache(maxsize=65_536)
def _remembered(type_: TargetType, value: str, attribute: str) -> Target:
    return Target.of(type_, value, attribute)
