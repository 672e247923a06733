"""The functions of web lists. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from mailreeve.client.api import given
from mailreeve.client.functions.shapes import (
    ConditionsItem,
    PolicyAnswer,
    PolicyItem,
    TargetItem,
)
from mailreeve.client.policies import Policy

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class AddedEntries(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of adding entries: those that were given, as the list holds them, in their order; how many of
    them are new, have another action than before, and were there already; and how many the list holds now.
    """

    id: str = ""
    description: str = ""
    urls: tuple[UrlAnswer, ...] = ()
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    count: int = 0


class DefaultDenyAnswer(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"default_deny": "defaultDeny"}
):
    """Whether a list has a default deny, and how many entries of it allow something."""

    id: str = ""
    description: str = ""
    default_deny: bool = False
    allows: int = 0


class DeletedPolicy(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A list that is gone, as it was: the vendor's page has the whole, terraform wants the flag."""

    id: str = ""
    description: str = ""
    urls: tuple[UrlAnswer, ...] = ()
    policies: tuple[WebTargetAnswer, ...] = ()
    deleted: bool = False


class ImportedEntries(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"dry_run": "dryRun"}):
    """What came of entries that were imported: how many are new, have another action than before, and were
    there already; those that were refused; how many lists hold them now, and how many entries those have.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: tuple[RefusedEntry, ...] = ()
    lists: int = 0
    count: int = 0
    dry_run: bool = False


class LocationAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A network of a location that a target is bound to, and the location's name."""

    ip: str = ""
    location: str = ""


class LocationItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A location of a target, by name. An address or network beside it is checked to be the location's."""

    ip: str | None = None
    location: str | None = None


class NamedUrl(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of a list: by id, or by value, of either type where none is given."""

    id: str | None = None
    type: Literal["domain", "url"] | None = None
    value: str | None = None


class NewUrl(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A domain or URL that a list is to hold, with what to do about it."""

    action: Literal["allow", "block"]
    type: Literal["domain", "url"]
    value: str


class PacPlace(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The proxies of a location, by its name, `HOST:PORT`, in the order in which they are tried."""

    location: str
    proxies: Sequence[str]


class RefusedEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry that was not taken: which one of `urls`, from 0, and why."""

    n: int = 0
    code: str = ""
    message: str = ""


class RemovedEntries(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The entries that a list has lost, as they were, and how many it holds now."""

    id: str = ""
    description: str = ""
    urls: tuple[UrlAnswer, ...] = ()
    count: int = 0


class UrlAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A domain or URL of a list."""

    id: str = ""
    action: str = ""
    type: str = ""
    value: str = ""


class UrlItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A domain or URL of a list, with what to do about it. An `id` names the one that it replaces."""

    action: Literal["allow", "block"]
    type: Literal["domain", "url"]
    value: str
    id: str | None = None


class WebPolicyAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A list."""

    id: str = ""
    description: str = ""
    urls: tuple[UrlAnswer, ...] = ()
    policies: tuple[WebTargetAnswer, ...] = ()


class WebTargetAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A target of a list."""

    id: str = ""
    locations: tuple[LocationAnswer, ...] = ()
    policy: PolicyAnswer = field(default_factory=lambda: PolicyAnswer())


class WebTargetItem(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "from_": "from",
        "from_type": "fromType",
        "from_value": "fromValue",
        "to_type": "toType",
        "to_value": "toValue",
        "from_part": "fromPart",
        "from_date": "fromDate",
        "from_eternal": "fromEternal",
        "to_date": "toDate",
        "to_eternal": "toEternal",
    },
):
    """A target as clients write it: a bare policy object with its id beside the members. Also taken is what
    answers hold, the policy object inside `policy`, so that what was read can be written. `locations` bind
    it to named places; in an update they stay where they are not sent, and an empty list of them lifts the
    bond.
    """

    description: str | None = None
    comment: str | None = None
    from_: TargetItem | Mapping[str, object] | None = None
    to: TargetItem | Mapping[str, object] | None = None
    from_type: (
        Literal[
            "everyone",
            "internal_addresses",
            "external_addresses",
            "free_mail_domains",
            "email_domain",
            "profile_group",
            "address_attribute_value",
            "individual_email_address",
            "header_display_name",
        ]
        | None
    ) = None
    from_value: str | None = None
    to_type: (
        Literal[
            "everyone",
            "internal_addresses",
            "external_addresses",
            "free_mail_domains",
            "email_domain",
            "profile_group",
            "address_attribute_value",
            "individual_email_address",
            "header_display_name",
        ]
        | None
    ) = None
    to_value: str | None = None
    from_part: Literal["envelope_from", "header_from", "both"] | None = None
    from_date: str | None = None
    from_eternal: bool | None = None
    to_date: str | None = None
    to_eternal: bool | None = None
    override: bool | None = None
    bidirectional: bool | None = None
    enabled: bool | None = None
    enforced: bool | None = None
    conditions: ConditionsItem | Mapping[str, object] | None = None
    id: str | None = None
    policy: PolicyItem | Policy | Mapping[str, object] | None = None
    locations: Sequence[LocationItem | Mapping[str, object]] | None = None


class WebListsFunctions:
    """What can be asked about web lists."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create_policy_with_targets(
        self,
        *,
        description: str,
        policies: Sequence[WebTargetItem | Mapping[str, object]],
        urls: Sequence[UrlItem | Mapping[str, object]],
    ) -> WebPolicyAnswer:
        """Create a web block or allow list with its targets."""
        return self._api.one_of(
            WebPolicyAnswer,
            "policy/webwhiteurl/create-policy-with-targets",
            {"description": description, "policies": policies, "urls": urls},
        )

    def get_policy_with_targets(
        self, *, id: str | None = None, page_size: int | None = None
    ) -> Iterator[WebPolicyAnswer]:
        """Return one web block or allow list, or all of them."""
        return self._api.every_of(
            WebPolicyAnswer, "policy/webwhiteurl/get-policy-with-targets", {"id": id}, page_size=page_size
        )

    def update_policy_with_targets(
        self,
        *,
        id: str,
        policies: Sequence[WebTargetItem | Mapping[str, object]],
        description: str | None = None,
        urls: Sequence[UrlItem | Mapping[str, object]] | None = None,
    ) -> WebPolicyAnswer:
        """Replace a web block or allow list with its targets."""
        return self._api.one_of(
            WebPolicyAnswer,
            "policy/webwhiteurl/update-policy-with-targets",
            {"id": id, "policies": policies, "description": description, "urls": urls},
        )

    def delete_policy_with_targets(self, *, id: str) -> DeletedPolicy:
        """Delete a web block or allow list with its targets."""
        return self._api.one_of(DeletedPolicy, "policy/webwhiteurl/delete-policy-with-targets", {"id": id})

    def add_web_entries(self, *, id: str, urls: Sequence[NewUrl | Mapping[str, object]]) -> AddedEntries:
        """Add entries to a web block or allow list."""
        return self._api.one_of(AddedEntries, "ext/add-web-entries", {"id": id, "urls": urls})

    def remove_web_entries(self, *, id: str, urls: Sequence[NamedUrl | Mapping[str, object]]) -> RemovedEntries:
        """Remove entries from a web block or allow list."""
        return self._api.one_of(RemovedEntries, "ext/remove-web-entries", {"id": id, "urls": urls})

    def import_web_entries(
        self,
        *,
        name: str,
        urls: Sequence[NewUrl | Mapping[str, object]],
        confirm_suffixes: bool | None = None,
        dry_run: bool | None = None,
    ) -> ImportedEntries:
        """Add many entries to a web list, made as it is needed; bad ones are named and left out."""
        return self._api.one_of(
            ImportedEntries,
            "ext/import-web-entries",
            {"name": name, "urls": urls, "confirmSuffixes": confirm_suffixes, "dryRun": dry_run},
        )

    def export_web_file(
        self,
        *,
        format: Literal["domains", "hosts", "adblock", "squid", "squid-allow", "unbound"],
        user: str | None = None,
        source_ip: str | None = None,
    ) -> bytes:
        """Return the names that web lists block and allow, as a file for another program."""
        return self._api.octets(
            "ext/export-web-file", given({"format": format, "user": user, "sourceIp": source_ip})
        )

    def get_pac_file(
        self,
        *,
        proxies: Sequence[str] | None = None,
        places: Sequence[PacPlace | Mapping[str, object]] | None = None,
        direct: Sequence[str] | None = None,
        or_direct: bool | None = None,
    ) -> bytes:
        """Return a proxy auto-configuration file for browsers, by location."""
        return self._api.octets(
            "ext/get-pac-file",
            given({"proxies": proxies, "places": places, "direct": direct, "orDirect": or_direct}),
        )

    def set_web_default_deny(
        self, *, id: str, default_deny: bool, confirm_reach: bool | None = None
    ) -> DefaultDenyAnswer:
        """Say whether a web list blocks whatever no entry speaks of."""
        return self._api.one_of(
            DefaultDenyAnswer,
            "ext/set-web-default-deny",
            {"id": id, "defaultDeny": default_deny, "confirmReach": confirm_reach},
        )

    def get_web_default_deny(self, *, page_size: int | None = None) -> Iterator[DefaultDenyAnswer]:
        """List the web lists that block whatever no entry speaks of."""
        return self._api.every_of(DefaultDenyAnswer, "ext/get-web-default-deny", {}, page_size=page_size)


class AsyncWebListsFunctions:
    """What can be asked about web lists."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def create_policy_with_targets(
        self,
        *,
        description: str,
        policies: Sequence[WebTargetItem | Mapping[str, object]],
        urls: Sequence[UrlItem | Mapping[str, object]],
    ) -> WebPolicyAnswer:
        """Create a web block or allow list with its targets."""
        return await self._api.one_of(
            WebPolicyAnswer,
            "policy/webwhiteurl/create-policy-with-targets",
            {"description": description, "policies": policies, "urls": urls},
        )

    def get_policy_with_targets(
        self, *, id: str | None = None, page_size: int | None = None
    ) -> AsyncIterator[WebPolicyAnswer]:
        """Return one web block or allow list, or all of them."""
        return self._api.every_of(
            WebPolicyAnswer, "policy/webwhiteurl/get-policy-with-targets", {"id": id}, page_size=page_size
        )

    async def update_policy_with_targets(
        self,
        *,
        id: str,
        policies: Sequence[WebTargetItem | Mapping[str, object]],
        description: str | None = None,
        urls: Sequence[UrlItem | Mapping[str, object]] | None = None,
    ) -> WebPolicyAnswer:
        """Replace a web block or allow list with its targets."""
        return await self._api.one_of(
            WebPolicyAnswer,
            "policy/webwhiteurl/update-policy-with-targets",
            {"id": id, "policies": policies, "description": description, "urls": urls},
        )

    async def delete_policy_with_targets(self, *, id: str) -> DeletedPolicy:
        """Delete a web block or allow list with its targets."""
        return await self._api.one_of(DeletedPolicy, "policy/webwhiteurl/delete-policy-with-targets", {"id": id})

    async def add_web_entries(self, *, id: str, urls: Sequence[NewUrl | Mapping[str, object]]) -> AddedEntries:
        """Add entries to a web block or allow list."""
        return await self._api.one_of(AddedEntries, "ext/add-web-entries", {"id": id, "urls": urls})

    async def remove_web_entries(
        self, *, id: str, urls: Sequence[NamedUrl | Mapping[str, object]]
    ) -> RemovedEntries:
        """Remove entries from a web block or allow list."""
        return await self._api.one_of(RemovedEntries, "ext/remove-web-entries", {"id": id, "urls": urls})

    async def import_web_entries(
        self,
        *,
        name: str,
        urls: Sequence[NewUrl | Mapping[str, object]],
        confirm_suffixes: bool | None = None,
        dry_run: bool | None = None,
    ) -> ImportedEntries:
        """Add many entries to a web list, made as it is needed; bad ones are named and left out."""
        return await self._api.one_of(
            ImportedEntries,
            "ext/import-web-entries",
            {"name": name, "urls": urls, "confirmSuffixes": confirm_suffixes, "dryRun": dry_run},
        )

    async def export_web_file(
        self,
        *,
        format: Literal["domains", "hosts", "adblock", "squid", "squid-allow", "unbound"],
        user: str | None = None,
        source_ip: str | None = None,
    ) -> bytes:
        """Return the names that web lists block and allow, as a file for another program."""
        return await self._api.octets(
            "ext/export-web-file", given({"format": format, "user": user, "sourceIp": source_ip})
        )

    async def get_pac_file(
        self,
        *,
        proxies: Sequence[str] | None = None,
        places: Sequence[PacPlace | Mapping[str, object]] | None = None,
        direct: Sequence[str] | None = None,
        or_direct: bool | None = None,
    ) -> bytes:
        """Return a proxy auto-configuration file for browsers, by location."""
        return await self._api.octets(
            "ext/get-pac-file",
            given({"proxies": proxies, "places": places, "direct": direct, "orDirect": or_direct}),
        )

    async def set_web_default_deny(
        self, *, id: str, default_deny: bool, confirm_reach: bool | None = None
    ) -> DefaultDenyAnswer:
        """Say whether a web list blocks whatever no entry speaks of."""
        return await self._api.one_of(
            DefaultDenyAnswer,
            "ext/set-web-default-deny",
            {"id": id, "defaultDeny": default_deny, "confirmReach": confirm_reach},
        )

    def get_web_default_deny(self, *, page_size: int | None = None) -> AsyncIterator[DefaultDenyAnswer]:
        """List the web lists that block whatever no entry speaks of."""
        return self._api.every_of(DefaultDenyAnswer, "ext/get-web-default-deny", {}, page_size=page_size)
