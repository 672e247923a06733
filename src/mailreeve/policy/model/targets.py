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

        - `email_domain`: a canonical `Domain`
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
    def rank(self) -> int:
        """How narrow this target is, from `RANK`."""
        return RANK[self.type]


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
        return value  # exact, subdomains are not covered (behaviour.md D-04)
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
