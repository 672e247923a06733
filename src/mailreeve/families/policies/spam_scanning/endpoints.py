"""The spam scanning endpoints, ours: API 1.0 has none for such policies."""

from __future__ import annotations

from typing import Final

from msgspec import structs

from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.family import new_members
from mailreeve.families.policies.reach_guard import warn_of_widening
from mailreeve.families.policies.references import DirectoryReferences
from mailreeve.families.policies.spam_scanning.rows import SPAM, SpamPolicyRow
from mailreeve.families.policies.spam_scanning.types import (
    MAX_PREFIX,
    ActionsAnswer,
    ActionsItem,
    CreateSpamPolicy,
    DeletedSpamPolicy,
    OneSpamPolicy,
    SomeSpamPolicies,
    SpamPolicyAnswer,
    UpdateSpamPolicy,
    options_of,
)
from mailreeve.policy.model.policy_types import POLICY_TYPES, PolicyType
from mailreeve.policy.model.wording import quoted
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.errors import NOT_ALLOWED, refused
from mailreeve.wire.pagination import Page

_TYPE: Final = POLICY_TYPES[PolicyType.SPAM_SCANNING]


@endpoint(f"{_TYPE.api}/create-policy", _TYPE.edit, writes=True)
def create_spam_policy(call: Call, item: CreateSpamPolicy) -> SpamPolicyAnswer:
    """Create a spam scanning policy."""
    _check(item.actions)
    row = SpamPolicyRow(*new_members(call.work, SPAM.document(call, item.policy)), options_of(item.actions))
    return _answer(call, SPAM.create(call.work, row))


@endpoint(f"{_TYPE.api}/update-policy", _TYPE.edit, writes=True)
def update_spam_policy(call: Call, item: UpdateSpamPolicy) -> SpamPolicyAnswer:
    """Change a spam scanning policy."""
    _check(item.actions)
    old = SPAM.get(call, item.id)
    document = SPAM.document(call, item.policy, old.document)
    name = f"{quoted(document.description)} is now about"
    warn_of_widening(call, name, [old.document.scope()], [document.scope()])
    new = structs.replace(old, document=document, options=options_of(item.actions, old.options))
    return _answer(call, SPAM.replace(call.work, old, new))


@endpoint(f"{_TYPE.api}/get-policy", _TYPE.read, short="id")
def get_spam_policy(call: Call, item: SomeSpamPolicies) -> Page[SpamPolicyAnswer]:
    """Return one spam scanning policy, or all of them."""
    return SPAM.answers(call, item.id, _answer)


@endpoint(f"{_TYPE.api}/delete-policy", _TYPE.edit, writes=True)
def delete_spam_policy(call: Call, item: OneSpamPolicy) -> DeletedSpamPolicy:
    """Delete a spam scanning policy."""
    SPAM.delete(call.work, SPAM.get(call, item.id))
    return DeletedSpamPolicy(item.id)


def _check(actions: ActionsItem) -> None:
    prefix = fields.short(actions.subject_prefix or "", "actions.subjectPrefix", MAX_PREFIX)
    if not (prefix.isascii() and prefix.isprintable()):
        raise refused(NOT_ALLOWED, "actions.subjectPrefix", "A prefix is of printable ASCII characters")


def _answer(call: Call, row: SpamPolicyRow, references: DirectoryReferences | None = None) -> SpamPolicyAnswer:
    shown = SPAM.shown(call, row, references)
    return SpamPolicyAnswer(SPAM.wire_id(call, row), shown, ActionsAnswer.of(row.options))


ENDPOINTS: Final = (create_spam_policy, update_spam_policy, get_spam_policy, delete_spam_policy)
