"""What can be wrong with a set of policies? The kinds of finding that the linter reports."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from mailreeve.policy.model.policy_types import PolicyType

NAMED: Final = 20
"""So many policies a finding names at most; `Finding.count` tells how many it is about."""


class FindingKind(StrEnum):
    """What is wrong. `NEVER_WINS` holds those that are certain of policies which win nothing from now on."""

    UNREADABLE = "unreadable"
    SHADOWED = "shadowed"
    NEVER_MATCHES = "never_matches"
    EMPTY_GROUP = "empty_group"
    EXPIRED = "expired"
    EXPIRED_TARGETS = "expired_targets"
    NOT_STARTED = "not_started"
    TIED = "tied"
    UNKNOWN_RECIPIENT = "unknown_recipient"
    PERMIT_UNDER_BLOCK = "permit_under_block"
    INSIDE_PERMIT = "inside_permit"
    NOTHING_AUTHENTICATES = "nothing_authenticates"
    BYPASS_FOR_ALL = "bypass_for_all"
    DEEP_GROUP = "deep_group"
    ENDED_MEMBERSHIP = "ended_membership"
    LIST_NOT_ASKED = "list_not_asked"
    BEFORE_ALTERATION = "before_alteration"
    EMPTY_SET = "empty_set"
    UNUSED_SET = "unused_set"
    EXTERNAL_ORIGINAL = "external_original"
    WEB_CONTRADICTION = "web_contradiction"
    URL_NOT_ENFORCED = "url_not_enforced"
    WWW_TWIN = "www_twin"
    DENIES_ALL = "denies_all"
    DENIES_EVERYONE = "denies_everyone"
    NOT_AT_DNS = "not_at_dns"
    NO_ENGINE = "no_engine"


NEVER_WINS: Final = frozenset(
    (FindingKind.SHADOWED, FindingKind.NEVER_MATCHES, FindingKind.EMPTY_GROUP, FindingKind.EXPIRED)
)


class Level(StrEnum):
    """A warning wants something done; a note may be as intended."""

    WARNING = "warning"
    NOTE = "note"


_NOTES: Final = frozenset(
    (
        FindingKind.EMPTY_GROUP,  # every account starts with policies bound to empty groups
        FindingKind.EXPIRED_TARGETS,
        FindingKind.NOT_STARTED,
        FindingKind.INSIDE_PERMIT,
        FindingKind.ENDED_MEMBERSHIP,
        FindingKind.BEFORE_ALTERATION,
        FindingKind.UNUSED_SET,
        FindingKind.URL_NOT_ENFORCED,  # it is enforced for plain HTTP all the same
        FindingKind.WWW_TWIN,
        FindingKind.NOT_AT_DNS,
        FindingKind.NO_ENGINE,
    )
)


class SubjectKind(StrEnum):
    """What kind of object a finding names that is no policy of a `PolicyType`."""

    __hash__ = str.__hash__  # one is found by the text of an answer

    ALTERATION_DEFINITION = "alteration_definition"
    GROUP = "group"
    WEB_LIST = "web_list"
    WEB_ENTRY = "web_entry"
    MANAGED_URL = "managed_url"
    STORED_ROW = "stored_row"


WEB_SUBJECTS: Final = frozenset((SubjectKind.WEB_LIST, SubjectKind.WEB_ENTRY, SubjectKind.MANAGED_URL))


class Subject(Struct, frozen=True, gc=False):
    """An object that a finding names, by its id in the store."""

    kind: PolicyType | SubjectKind
    id: str
    description: str


class Finding(Struct, frozen=True):
    """One thing that is wrong: which objects it is about, why in a sentence, and what to do about it.

    The first subject is the one at fault, the others are what it is at odds with; `count` is how many are at fault
    where they are alike and not all of them named. `harmless` marks what changes no decision.
    """

    kind: FindingKind
    subjects: tuple[Subject, ...]
    why: str
    advice: str
    count: int = 1
    harmless: bool = False

    @property
    def level(self) -> Level:
        """How much it matters."""
        return Level.NOTE if self.harmless or self.kind in _NOTES else Level.WARNING

    @property
    def about_web(self) -> bool:
        """Whether it is about web lists rather than mail."""
        return self.subjects[0].kind in WEB_SUBJECTS
