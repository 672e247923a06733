"""The rows of each kind, and what is asked and answered about them.

A row that comes in has the members that one that goes out has, so that what was exported can be imported. What is
empty or left out of a row stays as it is, or takes its default where the object is new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta, Struct, field

from mailreeve.policy.model.policies import (
    BlockedOption,
    FromPart,
    ManagedAction,
    WebAction,
    WebEntryType,
)
from mailreeve.wire.errors import ItemRefused, Problem
from mailreeve.wire.items import AsWritten, Prose, longest

MAX_ROWS = 5_000  # of one import
LONG = 65_536  # characters of a cell that holds a list


class UserRow(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A user. `aliases` are other addresses, parted by blanks: those that are new are added, none is taken away.
    Nor is an attribute. There are no passwords and no roles in files."""

    address: str
    name: str | None = None
    aliases: Annotated[str, longest(LONG)] | None = None
    locked: bool | None = None
    disabled: bool | None = None
    force_password_change: bool | None = None
    password_never_expires: bool | None = None
    allow_smtp: bool | None = None
    allow_pop: bool | None = None
    archive_start_date: str | None = None
    attributes: Mapping[str, str] = {}


class GroupRow(Struct, frozen=True, omit_defaults=True):
    """A group by its path, `Sales/EMEA`. Those above it are made as well where they are not there."""

    group: Prose


class MemberRow(Struct, frozen=True, omit_defaults=True):
    """A member of a group that is there: an address or a domain, for good or `until` an instant. A membership that
    has ended is in no export."""

    group: Prose
    address: str | None = None
    domain: str | None = None
    notes: Prose | None = None
    until: str | None = None


Action = Annotated[ManagedAction, Meta(extra={"also": {"Permit": "permit", "Block": "block"}})]


class SenderRow(Struct, frozen=True, omit_defaults=True):
    """An entry of a recipient's own list. One that has ended is in no export."""

    to: str
    sender: str
    action: Action
    reason: Prose | None = None
    expires: str | None = None


class BlockRow(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A blocked sender policy. Description, `from` and `to` say which one it is; addresses, host names and domains
    of conditions are parted by blanks."""

    description: Prose
    option: BlockedOption
    from_: AsWritten = field(name="from")
    to: AsWritten
    from_part: FromPart | None = None
    from_date: str | None = None
    to_date: str | None = None
    source_ips: Annotated[str, longest(LONG)] | None = field(default=None, name="sourceIPs")
    hostnames: Annotated[str, longest(LONG)] | None = None
    spf_domains: Annotated[str, longest(LONG)] | None = field(default=None, name="spfDomains")
    override: bool | None = None
    bidirectional: bool | None = None
    enabled: bool | None = None
    enforced: bool | None = None
    comment: Prose | None = None


class WebRow(Struct, frozen=True, omit_defaults=True):
    """An entry of a web list. `policy` is the list's description, `for_` whom it is for, several parted by ` | `;
    a list that is new and says nothing of it is for everyone."""

    policy: Prose
    type: WebEntryType
    value: AsWritten
    action: WebAction
    for_: AsWritten | None = field(default=None, name="for")


class DelegateRow(Struct, frozen=True, omit_defaults=True):
    """A right: the user `primary` may open the mailbox of the user `delegate`. `scopes` are what of it, with
    spaces between, by default all but sending; `expires` is when it ends."""

    primary: str
    delegate: str
    scopes: str | None = None
    expires: str | None = None


class ImportRows(Struct, frozen=True, rename="camel"):
    """Rows to import, in one revision. Where one of them is refused nothing at all is changed, and each refused
    row is named as `rows[n]`, counted from 0; with `skip_errors` the others are imported. `dry_run` says what
    would come of it and changes nothing.

    `confirm_reach` is about blocks of a whole organisation: true says that they are meant, false has them refused.
    """

    rows: Annotated[list[dict[str, object]], longest(LONG)]
    dry_run: bool = False
    skip_errors: bool = False
    confirm_reach: bool | None = None


class ReadRows(Struct, frozen=True):
    """Rows to import, each read, or why it is refused."""

    asked: ImportRows
    rows: Sequence[Struct | ItemRefused]


class ImportAnswer(Struct, frozen=True, rename="camel"):
    """What came of an import. `refused` names the members of rows that were refused, the first of many;
    `refused_count` counts the rows. `changed_account` says whether it took a revision."""

    added: int
    changed: int
    unchanged: int
    refused_count: int
    refused: Sequence[Problem]
    dry_run: bool
    changed_account: bool


class ExportRows(Struct, frozen=True):
    """Everything of a kind is exported; there is nothing to say."""


class ExportSenders(Struct, frozen=True):
    """Whose list is exported: without `to` all of them, or the own one of a caller who may not see all."""

    to: str | None = None
