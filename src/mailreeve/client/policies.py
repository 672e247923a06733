"""What does a policy apply to? The policy object that blocked senders, alteration and web lists share."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct, field

TargetType = Literal[
    "everyone",
    "internal_addresses",
    "external_addresses",
    "free_mail_domains",
    "email_domain",
    "profile_group",
    "address_attribute_value",
    "individual_email_address",
    "header_display_name",
    "web_device_group",
    "web_device",
]
FromPart = Literal["envelope_from", "header_from", "both"]


class Attribute(Struct, frozen=True, omit_defaults=True):
    """A user attribute, known by id or by name, and the value that it should have."""

    value: str
    id: str | None = None
    name: str | None = None


class Target(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One side of a policy. The class methods say what each type needs."""

    type: TargetType
    email_address: str | None = None
    email_domain: str | None = None
    group_id: str | None = None
    attribute: Attribute | None = None
    header_display_name: str | None = None

    @classmethod
    def everyone(cls) -> Target:
        """Any address."""
        return cls("everyone")

    @classmethod
    def internal(cls) -> Target:
        """Any address in the account's domains."""
        return cls("internal_addresses")

    @classmethod
    def external(cls) -> Target:
        """Any address outside the account's domains."""
        return cls("external_addresses")

    @classmethod
    def free_mail(cls) -> Target:
        """Any address at a provider of free mail."""
        return cls("free_mail_domains")

    @classmethod
    def address(cls, address: str) -> Target:
        """One address."""
        return cls("individual_email_address", email_address=address)

    @classmethod
    def domain(cls, domain: str) -> Target:
        """The addresses of one domain, without its subdomains."""
        return cls("email_domain", email_domain=domain)

    @classmethod
    def group(cls, group_id: str) -> Target:
        """The members of a group."""
        return cls("profile_group", group_id=group_id)

    @classmethod
    def attribute_value(cls, name: str, value: str) -> Target:
        """The users whose attribute of that name has that value."""
        return cls("address_attribute_value", attribute=Attribute(value, name=name))

    @classmethod
    def display_name(cls, text: str) -> Target:
        """Senders with that name in the From header. Recipients have none, so as `to` it meets nobody."""
        return cls("header_display_name", header_display_name=text)


class Conditions(Struct, frozen=True, omit_defaults=True):
    """What must hold of the sending server. `source_ips` are ranges in CIDR notation."""

    source_ips: tuple[str, ...] = field(default=(), name="sourceIPs")
    hostnames: tuple[str, ...] = ()
    spf_domains: tuple[str, ...] = field(default=(), name="spfDomains")


class Policy(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Whom a policy applies to, and when. A date that is given sets an end to that side; the last two are the
    server's to set. In a new policy without `from_` or `to` everyone is meant, where the family allows that; in an
    update what is left out stays, unless both sides are given: then the whole is replaced."""

    description: str = ""
    from_: Target | None = field(default=None, name="from")
    to: Target | None = None
    from_part: FromPart = "envelope_from"
    from_date: datetime | None = None
    from_eternal: bool | None = None
    to_date: datetime | None = None
    to_eternal: bool | None = None
    override: bool = False
    bidirectional: bool = False
    enabled: bool = True
    enforced: bool = False
    comment: str = ""
    conditions: Conditions = Conditions()
    create_time: datetime | None = None
    last_updated: datetime | None = None
