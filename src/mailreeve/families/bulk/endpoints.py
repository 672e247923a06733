"""The import and export endpoints, ours: the live service has files for this, and no API."""

from __future__ import annotations

from typing import Final

from mailreeve.families.bulk import operations, people, senders, web
from mailreeve.families.bulk.kinds import KINDS
from mailreeve.families.bulk.steps import Kind
from mailreeve.families.bulk.types import (
    BlockRow,
    DelegateRow,
    ExportRows,
    ExportSenders,
    GroupRow,
    ImportAnswer,
    ImportRows,
    MemberRow,
    ReadRows,
    SenderRow,
    UserRow,
    WebRow,
)
from mailreeve.families.machinery.call import Call
from mailreeve.wire.endpoint import Endpoint, endpoint
from mailreeve.wire.pagination import Page


def _importing(kind: Kind, what: str) -> Endpoint:
    def prepare(item: ImportRows) -> ReadRows:
        return operations.read(kind, item)

    def import_rows(call: Call, item: ReadRows) -> ImportAnswer:
        return operations.carry_out(call, kind, item)

    import_rows.__doc__ = f"Import {what} from rows, in one revision."
    declare = endpoint(f"ext/import-{kind.name}", *kind.edit, writes=True, most=1, prepare=prepare, own=kind.own)
    return declare(import_rows)


_IMPORTS: Final = (
    _importing(people.USERS, "users"),
    _importing(people.GROUPS, "groups"),
    _importing(people.MEMBERS, "members of groups"),
    _importing(senders.SENDERS, "entries of recipients' own lists"),
    _importing(senders.BLOCKS, "blocked sender policies"),
    _importing(web.WEB, "entries of web lists"),
    _importing(people.DELEGATES, "delegate rights"),
)


@endpoint("ext/export-users", *people.USERS.read)
def export_users(call: Call, item: ExportRows) -> Page[UserRow]:
    """Return all users, as `ext/import-users` takes them."""
    return people.users_page(call)


@endpoint("ext/export-groups", *people.GROUPS.read)
def export_groups(call: Call, item: ExportRows) -> Page[GroupRow]:
    """Return all groups, as `ext/import-groups` takes them."""
    return people.groups_page(call)


@endpoint("ext/export-members", *people.MEMBERS.read)
def export_members(call: Call, item: ExportRows) -> Page[MemberRow]:
    """Return the members of all groups, as `ext/import-members` takes them."""
    return people.members_page(call)


@endpoint("ext/export-senders", *senders.SENDERS.read, own=True)
def export_senders(call: Call, item: ExportSenders) -> Page[SenderRow]:
    """Return the entries of recipients' lists, as `ext/import-senders` takes them."""
    return senders.senders_page(call, item.to)


@endpoint("ext/export-blocks", *senders.BLOCKS.read)
def export_blocks(call: Call, item: ExportRows) -> Page[BlockRow]:
    """Return all blocked sender policies, as `ext/import-blocks` takes them."""
    return senders.blocks_page(call)


@endpoint("ext/export-web", *web.WEB.read)
def export_web(call: Call, item: ExportRows) -> Page[WebRow]:
    """Return the entries of all web lists, as `ext/import-web` takes them."""
    return web.web_page(call)


@endpoint("ext/export-delegates", *people.DELEGATES.read)
def export_delegates(call: Call, item: ExportRows) -> Page[DelegateRow]:
    """Return all delegate rights, as `ext/import-delegates` takes them."""
    return people.delegates_page(call)


ENDPOINTS: Final = (
    *_IMPORTS,
    export_users,
    export_groups,
    export_members,
    export_senders,
    export_blocks,
    export_web,
    export_delegates,
)

if len(_IMPORTS) != len(KINDS):
    raise AssertionError("a kind cannot be imported")
