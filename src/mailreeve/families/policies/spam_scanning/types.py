"""The items and answers of the spam scanning endpoints. API 1.0 has none: these are ours, in the form of its
blocked sender endpoints."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mailreeve.policy.model.content import (
    WITHOUT_POLICY,
    OnGreylist,
    OnMalformed,
    OnReject,
    OnSpam,
    OnVirus,
    SpamOptions,
)
from mailreeve.wire.items import MaybeEmpty, longest
from mailreeve.wire.policy_object import PolicyAnswer, PolicyItem

MAX_PREFIX = 64  # characters

Score = Annotated[float, Meta(ge=-10_000, le=10_000)]


class ActionsItem(Struct, frozen=True, rename="camel"):
    """What to do; of what is left out, a new policy takes what holds without any, and an old one keeps its own.

    `reject`, `spam`, `greylist` and `virus` are about what the spam engine says, `malformed` about the form of the
    message. From `reject_score` and `spam_score` on mail counts as such, whatever the engine would do at it; 0
    leaves that to the engine again. `subject_prefix` is put before the subject of what is tagged.
    """

    reject: OnReject | None = None
    spam: OnSpam | None = None
    greylist: OnGreylist | None = None
    virus: OnVirus | None = None
    malformed: OnMalformed | None = None
    reject_score: Score | None = None
    spam_score: Score | None = None
    subject_prefix: Annotated[MaybeEmpty, longest(MAX_PREFIX)] | None = None


class CreateSpamPolicy(Struct, frozen=True):
    """A policy to create."""

    policy: PolicyItem
    actions: ActionsItem = ActionsItem()


class UpdateSpamPolicy(Struct, frozen=True):
    """A policy to change: a policy object that names `from` and `to` replaces the whole, one that does not changes
    what it holds."""

    id: str
    policy: PolicyItem = PolicyItem()
    actions: ActionsItem = ActionsItem()


class OneSpamPolicy(Struct, frozen=True):
    """One policy, by id."""

    id: str


class SomeSpamPolicies(Struct, frozen=True):
    """One policy by id, or all without one."""

    id: str | None = None


class ActionsAnswer(Struct, frozen=True, rename="camel"):
    """What the policy does. Scores are null where the engine decides."""

    reject: OnReject
    spam: OnSpam
    greylist: OnGreylist
    virus: OnVirus
    malformed: OnMalformed
    reject_score: float | None
    spam_score: float | None
    subject_prefix: str

    @staticmethod
    def of(options: SpamOptions) -> ActionsAnswer:
        """What the options say."""
        return ActionsAnswer(
            reject=options.on_reject,
            spam=options.on_spam,
            greylist=options.on_greylist,
            virus=options.on_virus,
            malformed=options.on_malformed,
            reject_score=options.reject_score,
            spam_score=options.spam_score,
            subject_prefix=options.subject_prefix,
        )


class SpamPolicyAnswer(Struct, frozen=True):
    """A spam scanning policy."""

    id: str
    policy: PolicyAnswer
    actions: ActionsAnswer


class DeletedSpamPolicy(Struct, frozen=True):
    """A policy that is gone."""

    id: str
    deleted: bool = True


def options_of(item: ActionsItem, old: SpamOptions = WITHOUT_POLICY) -> SpamOptions:
    """The options that an item stands for, `old` being those that hold now."""
    return SpamOptions(
        on_reject=item.reject or old.on_reject,
        on_spam=item.spam or old.on_spam,
        on_greylist=item.greylist or old.on_greylist,
        on_virus=item.virus or old.on_virus,
        on_malformed=item.malformed or old.on_malformed,
        reject_score=_score(item.reject_score, old.reject_score),
        spam_score=_score(item.spam_score, old.spam_score),
        subject_prefix=old.subject_prefix if item.subject_prefix is None else item.subject_prefix,
    )


def _score(given: float | None, old: float | None) -> float | None:
    return old if given is None else given or None
