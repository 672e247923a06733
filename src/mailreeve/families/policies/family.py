"""What the families of scoped policies do alike: reading, writing and loading. Each declares its type, its table
and its row, and what a row is to a decision.

Whoever writes a policy through its family cannot forget what belongs to that: the groups that it names are noted,
so that they are not deleted, the audit log has it, and the feed of changes tells whoever decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Table, Text, func, select
from sqlalchemy.schema import Constraint

from mailreeve.families.directory.groups import rows as groups
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.pages import Listing, Stretch
from mailreeve.families.machinery.versions import RowVersions
from mailreeve.families.policies.errors import POLICY_NOT_FOUND
from mailreeve.families.policies.references import DirectoryReferences
from mailreeve.formats.addresses import Address
from mailreeve.policy.model.policies import Changes, ScopedPolicy
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.store.counts import Counted
from mailreeve.store.follow import Loader
from mailreeve.store.keys import new_key
from mailreeve.store.loading import Loaded
from mailreeve.store.records import Records, given, ours
from mailreeve.store.schema import Moment, account_column, key_column, metadata
from mailreeve.store.transactions import Work
from mailreeve.wire import policy_object
from mailreeve.wire.errors import RESTORE_CONFLICT, refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.policy_object import PolicyAnswer, PolicyDocument, PolicyItem, Rules


class PolicyRow(Struct, frozen=True):
    """A policy as the store keeps it. A family adds the columns that are its own."""

    id: str
    document: PolicyDocument
    created_at: datetime
    updated_at: datetime


RANK: Final = 5  # among kinds that can become what they were: policies name groups, sets and locations

R = TypeVar("R", bound=PolicyRow)
A = TypeVar("A", bound=Struct)


def new_members(work: Work, document: PolicyDocument) -> tuple[str, PolicyDocument, datetime, datetime]:
    """The members of the `PolicyRow` of a new policy."""
    return new_key(), document, work.now, work.now


def policy_table(type_: PolicyType, *own: Column[Any] | Constraint) -> Table:
    """The table of a type: the columns of `PolicyRow`, of which `document` is JSON, and the family's own."""
    return Table(
        POLICY_TYPES[type_].table,
        metadata,
        account_column(),
        key_column(),
        *own,
        Column("document", Text, nullable=False),
        Column("created_at", Moment, nullable=False),
        Column("updated_at", Moment, nullable=False),
    )


def _refuse_fixed(call: Call, old: PolicyRow | None, new: PolicyRow | None) -> None:
    """Raises `ItemRefused` for a policy that came with the account and stays as it is."""
    if any(getattr(row, "immutable", False) for row in (old, new)):
        raise refused(RESTORE_CONFLICT, None, f"{RESTORE_CONFLICT.message}: it came with the account, and stays")


class PolicyFamily(Generic[R]):
    """One family. To be made once: its statements are built then.

    `own` are the columns of `table` that decisions need beside the document, and `decided` makes of a key, the
    document and these what a decision reads. `rules` say how its policy objects differ from others'.
    """

    def __init__(
        self,
        type_: PolicyType,
        table: Table,
        row: type[R],
        rules: Rules,
        decided: Callable[..., ScopedPolicy],
        own: Iterable[Column[Any]] = (),
    ) -> None:
        facts = POLICY_TYPES[type_]
        self.type: Final = type_
        self.kind: Final = facts.kind
        self.rules: Final = rules
        self._row = row
        self._records = Records(table, row)
        self._count = Counted(table)
        every = self._records.where()
        self._naming = self._records.where(func.instr(table.c.document, given("text")) > 0, order_by=table.c.id)
        self._listing = Listing(every.statement, table.c.id, self._records.make, all_at_once=True)
        decode = msgspec.json.Decoder(PolicyDocument).decode
        self._loaded: Loaded[ScopedPolicy] = Loaded(
            select(table.c.id, table.c.document, *own).where(ours(table)),
            table.c.id,
            lambda columns: decided(columns[0], decode(columns[1]), *columns[2:]),
        )

    @property
    def loader(self) -> Loader[Iterable[ScopedPolicy], Changes[ScopedPolicy]]:
        """How the family's policies come into policy sets."""
        return Loader(self._loaded.every, self._loaded.some)

    @property
    def versions(self) -> RowVersions[R]:
        """How a policy becomes again what it was."""

        def written(work: Work, row: R) -> None:
            groups.use(work, row.id, row.document.group_keys())

        def insert(work: Work, row: R) -> None:
            self._records.insert(work, row)
            written(work, row)

        def replace(work: Work, old: R, row: R) -> None:
            self._records.replace(work, row)
            written(work, row)

        def remove(work: Work, row: R) -> None:
            self._records.delete(work, row.id)
            groups.use(work, row.id, ())

        return RowVersions(
            self.kind,
            self._row,
            POLICY_TYPES[self.type].edit,
            self.type,
            RANK,
            find=self._records.find,
            insert=insert,
            replace=replace,
            remove=remove,
            refuse=_refuse_fixed,
            now=lambda work, row: msgspec.structs.replace(row, updated_at=work.now),
        )

    def find(self, call: Call, wire_id: str) -> R | None:
        """The policy with this id, or None if it is gone. Raises `ItemRefused` for what never was its id."""
        return self._records.find(call.work, call.open(self.kind, wire_id))

    def get(self, call: Call, wire_id: str) -> R:
        """The policy with this id. Raises `ItemRefused`, also where it is gone."""
        row = self.find(call, wire_id)
        if row is None:
            raise refused(POLICY_NOT_FOUND, "id")
        return row

    def page(self, call: Call) -> Page[R]:
        """A page of all policies in the order of their keys, or all of them when no page was asked for."""
        return self._listing.page(call.work, call.page, lambda: self.total(call.work))

    def answers(
        self, call: Call, wire_id: str | None, answer: Callable[[Call, R, DirectoryReferences | None], A]
    ) -> Page[A]:
        """What is answered of one policy, or of a page of all where no id is given. Raises `ItemRefused`."""
        if wire_id is not None:
            return Page.of_all([answer(call, self.get(call, wire_id), None)])
        page = self.page(call)
        references = DirectoryReferences(call)
        return page.showing([answer(call, row, references) for row in page.rows])

    def after(self, work: Work, place: str, most: int) -> Stretch[R]:
        """The next policies after a key, in order."""
        return self._listing.after(work, place, most)

    def up_to(self, work: Work, place: str, most: int) -> Stretch[R]:
        """The policies up to a key and with it, the last one first."""
        return self._listing.up_to(work, place, most)

    def total(self, work: Work) -> int:
        """How many policies there are."""
        return self._count.total(work)

    def document(
        self, call: Call, item: PolicyItem, old: PolicyDocument | None = None, path: str = "policy"
    ) -> PolicyDocument:
        """The document that an item stands for, see `policy_object.document`; what an `old` one loses by it is
        told. Raises `ItemRefused`."""
        document = policy_object.document(item, self.rules, DirectoryReferences(call), path, old)
        if old is not None:
            call.warnings.extend(policy_object.lost(item, old, document))
        return document

    def create(self, work: Work, row: R) -> R:
        """A new policy."""
        self._records.insert(work, row)
        groups.use(work, row.id, row.document.group_keys())
        work.changed(self.type, "create", self.kind, row.id, after=row)
        return row

    def replace(self, work: Work, old: R, new: R) -> R:
        """The policy with other contents, updated now."""
        new = msgspec.structs.replace(new, updated_at=work.now)
        self._records.replace(work, new)
        groups.use(work, new.id, new.document.group_keys())
        work.changed(self.type, "update", self.kind, new.id, before=old, after=new)
        return new

    def delete(self, work: Work, old: R) -> None:
        """Remove a policy."""
        self._records.delete(work, old.id)
        groups.use(work, old.id, ())
        work.changed(self.type, "delete", self.kind, old.id, before=old)

    def naming(self, work: Work, name: str) -> list[R]:
        """The policies that name an address, by its key, or a domain, oldest first. No index finds them: the
        documents of all are gone through in the database."""
        found = self._naming.every(work, text=policy_object.naming(name))
        return [row for row in found if row.document.names(name)]

    def rename(self, work: Work, old: str, new: Address) -> None:
        """Have the policies name another address in place of the one with the key `old`."""
        for row in self.naming(work, old):
            self.replace(work, row, msgspec.structs.replace(row, document=row.document.renamed(old, new)))

    def wire_id(self, call: Call, row: R) -> str:
        """What stands for the policy on the wire."""
        return call.seal(self.kind, row.id)

    def shown(self, call: Call, row: R, references: DirectoryReferences | None = None) -> PolicyAnswer:
        """The policy object that answers carry. Where there are several, they may share the `references`."""
        references = references or DirectoryReferences(call)
        return policy_object.answer(row.document, self.rules, references, row.created_at, row.updated_at)
