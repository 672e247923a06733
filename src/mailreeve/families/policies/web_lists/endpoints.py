"""The web list endpoints (api.md section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.web_places import rows as web_places
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.turns import one_at_a_time
from mailreeve.families.policies.references import DirectoryReferences
from mailreeve.families.policies.web_lists import exporting, importing, operations, patches, rows
from mailreeve.families.policies.web_lists.rows import EntryRow, WebPolicyRow
from mailreeve.families.policies.web_lists.types import (
    AddedEntries,
    AddEntries,
    CreatePolicy,
    DefaultDenyAnswer,
    DeletedPolicy,
    EveryDefaultDeny,
    ExportFile,
    ImportedEntries,
    ImportEntries,
    LocationAnswer,
    OnePolicy,
    PacFile,
    RemovedEntries,
    RemoveEntries,
    SetDefaultDeny,
    SomePolicies,
    UpdatePolicy,
    UrlAnswer,
    WebPolicyAnswer,
    WebTargetAnswer,
)
from mailreeve.policy.model.policies import WebAction
from mailreeve.wire import policy_object
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page
from mailreeve.wire.policy_object import WEB_SECURITY
from mailreeve.wire.raw_answer import RawAnswer
from mailreeve.wire.tokens import Kind


@endpoint("policy/webwhiteurl/create-policy-with-targets", Permission.WEB_SECURITY_POLICIES_EDIT, writes=True)
def create_policy(call: Call, item: CreatePolicy) -> WebPolicyAnswer:
    """Create a web block or allow list with its targets."""
    row = operations.create(call, item.description, item.policies, item.urls)
    return _answers(call, [row])[0]


@endpoint("policy/webwhiteurl/get-policy-with-targets", Permission.WEB_SECURITY_POLICIES_READ)
def get_policy(call: Call, item: SomePolicies) -> Page[WebPolicyAnswer]:
    """Return one web block or allow list, or all of them."""
    if item.id is not None:
        # A list that is gone is told by empty data: terraform takes any failure for an error (api.md 4.3).
        wanted = [call.open(operations.KIND, item.id)]
        return Page.of_all(_answers(call, rows.read(call.work, wanted)))
    page = rows.page_of_keys(call.work, call.page)
    return page.showing(_answers(call, rows.read(call.work, page.rows)))


@endpoint("policy/webwhiteurl/update-policy-with-targets", Permission.WEB_SECURITY_POLICIES_EDIT, writes=True)
def update_policy(call: Call, item: UpdatePolicy) -> WebPolicyAnswer:
    """Replace a web block or allow list with its targets."""
    row = operations.update(call, item.id, item.description, item.policies, item.urls)
    return _answers(call, [row])[0]


@endpoint("policy/webwhiteurl/delete-policy-with-targets", Permission.WEB_SECURITY_POLICIES_EDIT, writes=True)
def delete_policy(call: Call, item: OnePolicy) -> DeletedPolicy:
    """Delete a web block or allow list with its targets."""
    was = _answers(call, [operations.delete(call, item.id)])[0]
    return DeletedPolicy(was.id, was.description, was.urls, was.policies)


@endpoint("ext/add-web-entries", Permission.WEB_SECURITY_POLICIES_EDIT, writes=True)
def add_web_entries(call: Call, item: AddEntries) -> AddedEntries:
    """Add entries to a web block or allow list."""
    done = patches.add(call, item.id, item.urls)
    return AddedEntries(
        id=call.seal(operations.KIND, done.row.id),
        description=done.row.description,
        urls=[_entry(call, entry) for entry in done.entries],
        added=done.added,
        changed=done.changed,
        unchanged=len(done.entries) - done.added - done.changed,
        count=len(done.row.entries),
    )


@endpoint("ext/remove-web-entries", Permission.WEB_SECURITY_POLICIES_EDIT, writes=True)
def remove_web_entries(call: Call, item: RemoveEntries) -> RemovedEntries:
    """Remove entries from a web block or allow list."""
    done = patches.remove(call, item.id, item.urls)
    return RemovedEntries(
        id=call.seal(operations.KIND, done.row.id),
        description=done.row.description,
        urls=[_entry(call, entry) for entry in done.entries],
        count=len(done.row.entries),
    )


@endpoint("ext/import-web-entries", Permission.WEB_SECURITY_POLICIES_EDIT, writes=True, most=1)
def import_web_entries(call: Call, item: ImportEntries) -> ImportedEntries:
    """Add many entries to a web list, made as it is needed; bad ones are named and left out."""
    return importing.take_in(call, item)


@endpoint("ext/export-web-file", Permission.WEB_SECURITY_POLICIES_READ, most=1)
def export_web_file(call: Call, item: ExportFile) -> RawAnswer:
    """Return the names that web lists block and allow, as a file for another program."""
    with one_at_a_time():
        return exporting.export(call, item)


@endpoint("ext/get-pac-file", Permission.WEB_SECURITY_POLICIES_READ, most=1)
def get_pac_file(call: Call, item: PacFile) -> RawAnswer:
    """Return a proxy auto-configuration file for browsers, by location."""
    return exporting.pac(call, item)


@endpoint("ext/set-web-default-deny", Permission.WEB_SECURITY_POLICIES_EDIT, writes=True)
def set_web_default_deny(call: Call, item: SetDefaultDeny) -> DefaultDenyAnswer:
    """Say whether a web list blocks whatever no entry speaks of."""
    return _default_deny(call, operations.set_default_deny(call, item.id, item.default_deny, item.confirm_reach))


@endpoint("ext/get-web-default-deny", Permission.WEB_SECURITY_POLICIES_READ)
def get_web_default_deny(call: Call, item: EveryDefaultDeny) -> Page[DefaultDenyAnswer]:
    """List the web lists that block whatever no entry speaks of."""
    page = rows.page_of_denying(call.work, call.page)
    return page.showing([_default_deny(call, row) for row in rows.read(call.work, page.rows)])


def _default_deny(call: Call, row: WebPolicyRow) -> DefaultDenyAnswer:
    allows = sum(entry.action is WebAction.ALLOW for entry in row.entries)
    return DefaultDenyAnswer(call.seal(operations.KIND, row.id), row.description, row.default_deny, allows)


def _entry(call: Call, entry: EntryRow) -> UrlAnswer:
    return UrlAnswer(call.seal(Kind.WEB_ENTRY, entry.id), entry.action, entry.type, entry.shown)


def _answers(call: Call, found: Sequence[WebPolicyRow]) -> list[WebPolicyAnswer]:
    references = DirectoryReferences(call)
    bound = any(target.locations for row in found for target in row.targets)
    places = {row.id: row for row in web_places.every(call.work)} if bound else {}
    return [
        WebPolicyAnswer(
            id=call.seal(operations.KIND, row.id),
            description=row.description,
            urls=[_entry(call, entry) for entry in row.entries],
            policies=[
                WebTargetAnswer(
                    id=call.seal(Kind.WEB_TARGET, target.id),
                    locations=[
                        LocationAnswer(network, places[key].name)
                        for key in target.location_ids
                        if key in places
                        for network in places[key].networks.split(",")
                    ],
                    policy=policy_object.answer(
                        target.document, WEB_SECURITY, references, target.created_at, target.updated_at
                    ),
                )
                for target in row.targets
            ],
        )
        for row in found
    ]


ENDPOINTS: Final = (
    create_policy,
    get_policy,
    update_policy,
    delete_policy,
    add_web_entries,
    remove_web_entries,
    import_web_entries,
    export_web_file,
    get_pac_file,
    set_web_default_deny,
    get_web_default_deny,
)
