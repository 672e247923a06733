"""The functions of bulk. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class BlockRow(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "from_": "from",
        "from_part": "fromPart",
        "from_date": "fromDate",
        "to_date": "toDate",
        "source_ips": "sourceIPs",
        "spf_domains": "spfDomains",
    },
):
    """A blocked sender policy. Description, `from` and `to` say which one it is; addresses, host names and
    domains of conditions are parted by blanks.
    """

    description: str = ""
    option: str = ""
    from_: str = ""
    to: str = ""
    from_part: str | None = None
    from_date: str | None = None
    to_date: str | None = None
    source_ips: str | None = None
    hostnames: str | None = None
    spf_domains: str | None = None
    override: bool | None = None
    bidirectional: bool | None = None
    enabled: bool | None = None
    enforced: bool | None = None
    comment: str | None = None


class DelegateRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A right: the user `primary` may open the mailbox of the user `delegate`. `scopes` are what of it, with
    spaces between, by default all but sending; `expires` is when it ends.
    """

    primary: str = ""
    delegate: str = ""
    scopes: str | None = None
    expires: str | None = None


class GroupRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A group by its path, `Sales/EMEA`. Those above it are made as well where they are not there."""

    group: str = ""


class ImportAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"refused_count": "refusedCount", "dry_run": "dryRun", "changed_account": "changedAccount"},
):
    """What came of an import. `refused` names the members of rows that were refused, the first of many;
    `refused_count` counts the rows. `changed_account` says whether it took a revision.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused_count: int = 0
    refused: tuple[Problem, ...] = ()
    dry_run: bool = False
    changed_account: bool = False


class MemberRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A member of a group that is there: an address or a domain, for good or `until` an instant. A membership
    that has ended is in no export.
    """

    group: str = ""
    address: str | None = None
    domain: str | None = None
    notes: str | None = None
    until: str | None = None


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One error on the wire. `field` names the offending member of the item."""

    code: str = ""
    message: str = ""
    retryable: bool = False
    field: str | None = None


class SenderRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of a recipient's own list. One that has ended is in no export."""

    to: str = ""
    sender: str = ""
    action: str = ""
    reason: str | None = None
    expires: str | None = None


class UserRow(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "force_password_change": "forcePasswordChange",
        "password_never_expires": "passwordNeverExpires",
        "allow_smtp": "allowSmtp",
        "allow_pop": "allowPop",
        "archive_start_date": "archiveStartDate",
    },
):
    """A user. `aliases` are other addresses, parted by blanks: those that are new are added, none is taken
    away. Nor is an attribute. There are no passwords and no roles in files.
    """

    address: str = ""
    name: str | None = None
    aliases: str | None = None
    locked: bool | None = None
    disabled: bool | None = None
    force_password_change: bool | None = None
    password_never_expires: bool | None = None
    allow_smtp: bool | None = None
    allow_pop: bool | None = None
    archive_start_date: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


class WebRow(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"for_": "for"}):
    """An entry of a web list. `policy` is the list's description, `for_` whom it is for, several parted by ` |
    `; a list that is new and says nothing of it is for everyone.
    """

    policy: str = ""
    type: str = ""
    value: str = ""
    action: str = ""
    for_: str | None = None


class BulkFunctions:
    """What can be asked about bulk."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def import_users(
        self,
        *,
        rows: Sequence[Mapping[str, object]],
        dry_run: bool | None = None,
        skip_errors: bool | None = None,
        confirm_reach: bool | None = None,
    ) -> ImportAnswer:
        """Import users from rows, in one revision."""
        return self._api.one_of(
            ImportAnswer,
            "ext/import-users",
            {"rows": rows, "dryRun": dry_run, "skipErrors": skip_errors, "confirmReach": confirm_reach},
        )

    def import_groups(
        self,
        *,
        rows: Sequence[Mapping[str, object]],
        dry_run: bool | None = None,
        skip_errors: bool | None = None,
        confirm_reach: bool | None = None,
    ) -> ImportAnswer:
        """Import groups from rows, in one revision."""
        return self._api.one_of(
            ImportAnswer,
            "ext/import-groups",
            {"rows": rows, "dryRun": dry_run, "skipErrors": skip_errors, "confirmReach": confirm_reach},
        )

    def import_members(
        self,
        *,
        rows: Sequence[Mapping[str, object]],
        dry_run: bool | None = None,
        skip_errors: bool | None = None,
        confirm_reach: bool | None = None,
    ) -> ImportAnswer:
        """Import members of groups from rows, in one revision."""
        return self._api.one_of(
            ImportAnswer,
            "ext/import-members",
            {"rows": rows, "dryRun": dry_run, "skipErrors": skip_errors, "confirmReach": confirm_reach},
        )

    def import_senders(
        self,
        *,
        rows: Sequence[Mapping[str, object]],
        dry_run: bool | None = None,
        skip_errors: bool | None = None,
        confirm_reach: bool | None = None,
    ) -> ImportAnswer:
        """Import entries of recipients' own lists from rows, in one revision."""
        return self._api.one_of(
            ImportAnswer,
            "ext/import-senders",
            {"rows": rows, "dryRun": dry_run, "skipErrors": skip_errors, "confirmReach": confirm_reach},
        )

    def import_blocks(
        self,
        *,
        rows: Sequence[Mapping[str, object]],
        dry_run: bool | None = None,
        skip_errors: bool | None = None,
        confirm_reach: bool | None = None,
    ) -> ImportAnswer:
        """Import blocked sender policies from rows, in one revision."""
        return self._api.one_of(
            ImportAnswer,
            "ext/import-blocks",
            {"rows": rows, "dryRun": dry_run, "skipErrors": skip_errors, "confirmReach": confirm_reach},
        )

    def import_web(
        self,
        *,
        rows: Sequence[Mapping[str, object]],
        dry_run: bool | None = None,
        skip_errors: bool | None = None,
        confirm_reach: bool | None = None,
    ) -> ImportAnswer:
        """Import entries of web lists from rows, in one revision."""
        return self._api.one_of(
            ImportAnswer,
            "ext/import-web",
            {"rows": rows, "dryRun": dry_run, "skipErrors": skip_errors, "confirmReach": confirm_reach},
        )

    def import_delegates(
        self,
        *,
        rows: Sequence[Mapping[str, object]],
        dry_run: bool | None = None,
        skip_errors: bool | None = None,
        confirm_reach: bool | None = None,
    ) -> ImportAnswer:
        """Import delegate rights from rows, in one revision."""
        return self._api.one_of(
            ImportAnswer,
            "ext/import-delegates",
            {"rows": rows, "dryRun": dry_run, "skipErrors": skip_errors, "confirmReach": confirm_reach},
        )

    def export_users(self, *, page_size: int | None = None) -> Iterator[UserRow]:
        """Return all users, as `ext/import-users` takes them."""
        return self._api.every_of(UserRow, "ext/export-users", {}, page_size=page_size)

    def export_groups(self, *, page_size: int | None = None) -> Iterator[GroupRow]:
        """Return all groups, as `ext/import-groups` takes them."""
        return self._api.every_of(GroupRow, "ext/export-groups", {}, page_size=page_size)

    def export_members(self, *, page_size: int | None = None) -> Iterator[MemberRow]:
        """Return the members of all groups, as `ext/import-members` takes them."""
        return self._api.every_of(MemberRow, "ext/export-members", {}, page_size=page_size)

    def export_senders(self, *, to: str | None = None, page_size: int | None = None) -> Iterator[SenderRow]:
        """Return the entries of recipients' lists, as `ext/import-senders` takes them."""
        return self._api.every_of(SenderRow, "ext/export-senders", {"to": to}, page_size=page_size)

    def export_blocks(self, *, page_size: int | None = None) -> Iterator[BlockRow]:
        """Return all blocked sender policies, as `ext/import-blocks` takes them."""
        return self._api.every_of(BlockRow, "ext/export-blocks", {}, page_size=page_size)

    def export_web(self, *, page_size: int | None = None) -> Iterator[WebRow]:
        """Return the entries of all web lists, as `ext/import-web` takes them."""
        return self._api.every_of(WebRow, "ext/export-web", {}, page_size=page_size)

    def export_delegates(self, *, page_size: int | None = None) -> Iterator[DelegateRow]:
        """Return all delegate rights, as `ext/import-delegates` takes them."""
        return self._api.every_of(DelegateRow, "ext/export-delegates", {}, page_size=page_size)


class AsyncBulkFunctions:
    """What can be asked about bulk."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def import_users(
        self,
        *,
        rows: Sequence[Mapping[str, object]],
        dry_run: bool | None = None,
        skip_errors: bool | None = None,
        confirm_reach: bool | None = None,
    ) -> ImportAnswer:
        """Import users from rows, in one revision."""
        return await self._api.one_of(
            ImportAnswer,
            "ext/import-users",
            {"rows": rows, "dryRun": dry_run, "skipErrors": skip_errors, "confirmReach": confirm_reach},
        )

    async def import_groups(
        self,
        *,
        rows: Sequence[Mapping[str, object]],
        dry_run: bool | None = None,
        skip_errors: bool | None = None,
        confirm_reach: bool | None = None,
    ) -> ImportAnswer:
        """Import groups from rows, in one revision."""
        return await self._api.one_of(
            ImportAnswer,
            "ext/import-groups",
            {"rows": rows, "dryRun": dry_run, "skipErrors": skip_errors, "confirmReach": confirm_reach},
        )

    async def import_members(
        self,
        *,
        rows: Sequence[Mapping[str, object]],
        dry_run: bool | None = None,
        skip_errors: bool | None = None,
        confirm_reach: bool | None = None,
    ) -> ImportAnswer:
        """Import members of groups from rows, in one revision."""
        return await self._api.one_of(
            ImportAnswer,
            "ext/import-members",
            {"rows": rows, "dryRun": dry_run, "skipErrors": skip_errors, "confirmReach": confirm_reach},
        )

    async def import_senders(
        self,
        *,
        rows: Sequence[Mapping[str, object]],
        dry_run: bool | None = None,
        skip_errors: bool | None = None,
        confirm_reach: bool | None = None,
    ) -> ImportAnswer:
        """Import entries of recipients' own lists from rows, in one revision."""
        return await self._api.one_of(
            ImportAnswer,
            "ext/import-senders",
            {"rows": rows, "dryRun": dry_run, "skipErrors": skip_errors, "confirmReach": confirm_reach},
        )

    async def import_blocks(
        self,
        *,
        rows: Sequence[Mapping[str, object]],
        dry_run: bool | None = None,
        skip_errors: bool | None = None,
        confirm_reach: bool | None = None,
    ) -> ImportAnswer:
        """Import blocked sender policies from rows, in one revision."""
        return await self._api.one_of(
            ImportAnswer,
            "ext/import-blocks",
            {"rows": rows, "dryRun": dry_run, "skipErrors": skip_errors, "confirmReach": confirm_reach},
        )

    async def import_web(
        self,
        *,
        rows: Sequence[Mapping[str, object]],
        dry_run: bool | None = None,
        skip_errors: bool | None = None,
        confirm_reach: bool | None = None,
    ) -> ImportAnswer:
        """Import entries of web lists from rows, in one revision."""
        return await self._api.one_of(
            ImportAnswer,
            "ext/import-web",
            {"rows": rows, "dryRun": dry_run, "skipErrors": skip_errors, "confirmReach": confirm_reach},
        )

    async def import_delegates(
        self,
        *,
        rows: Sequence[Mapping[str, object]],
        dry_run: bool | None = None,
        skip_errors: bool | None = None,
        confirm_reach: bool | None = None,
    ) -> ImportAnswer:
        """Import delegate rights from rows, in one revision."""
        return await self._api.one_of(
            ImportAnswer,
            "ext/import-delegates",
            {"rows": rows, "dryRun": dry_run, "skipErrors": skip_errors, "confirmReach": confirm_reach},
        )

    def export_users(self, *, page_size: int | None = None) -> AsyncIterator[UserRow]:
        """Return all users, as `ext/import-users` takes them."""
        return self._api.every_of(UserRow, "ext/export-users", {}, page_size=page_size)

    def export_groups(self, *, page_size: int | None = None) -> AsyncIterator[GroupRow]:
        """Return all groups, as `ext/import-groups` takes them."""
        return self._api.every_of(GroupRow, "ext/export-groups", {}, page_size=page_size)

    def export_members(self, *, page_size: int | None = None) -> AsyncIterator[MemberRow]:
        """Return the members of all groups, as `ext/import-members` takes them."""
        return self._api.every_of(MemberRow, "ext/export-members", {}, page_size=page_size)

    def export_senders(self, *, to: str | None = None, page_size: int | None = None) -> AsyncIterator[SenderRow]:
        """Return the entries of recipients' lists, as `ext/import-senders` takes them."""
        return self._api.every_of(SenderRow, "ext/export-senders", {"to": to}, page_size=page_size)

    def export_blocks(self, *, page_size: int | None = None) -> AsyncIterator[BlockRow]:
        """Return all blocked sender policies, as `ext/import-blocks` takes them."""
        return self._api.every_of(BlockRow, "ext/export-blocks", {}, page_size=page_size)

    def export_web(self, *, page_size: int | None = None) -> AsyncIterator[WebRow]:
        """Return the entries of all web lists, as `ext/import-web` takes them."""
        return self._api.every_of(WebRow, "ext/export-web", {}, page_size=page_size)

    def export_delegates(self, *, page_size: int | None = None) -> AsyncIterator[DelegateRow]:
        """Return all delegate rights, as `ext/import-delegates` takes them."""
        return self._api.every_of(DelegateRow, "ext/export-delegates", {}, page_size=page_size)
