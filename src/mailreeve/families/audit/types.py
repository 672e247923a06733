"""The items and answers of the functions that read the audit log (api.md section 3.10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct


class GetAuditEvents(Struct, frozen=True, rename="camel", kw_only=True):
    """Which events to list. `categories` are codes of `audit/get-categories`; `query` is any text of the event."""

    start_date_time: str
    end_date_time: str
    query: str | None = None
    categories: Sequence[str] = ()
    audit_type: str | None = None


class AuditEvent(Struct, frozen=True, rename="camel", kw_only=True):
    """An event as clients of the API know them: what changed is one text."""

    id: str
    audit_type: str
    user: str
    event_time: str
    event_info: str
    category: str


class NoMembers(Struct, frozen=True):
    """An item without members."""


class Category(Struct, frozen=True):
    """A category of events."""

    code: str
    description: str


class FindAuditEvents(Struct, frozen=True, rename="camel", kw_only=True):
    """Which events to list, the newest first or the oldest.

    `since` and `until` are a time or how long ago (`7d`, `12h`, `30m`). `actor` is as the log names it, in any
    case.
    `object_kind` and `action` are as in the answer. `query` is any text of the event.
    """

    since: str | None = None
    until: str | None = None
    actor: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    action: str | None = None
    category: str | None = None
    query: str | None = None
    oldest_first: bool = False


class AuditChange(Struct, frozen=True):
    """A member of an object that is now another. Null where it was not there, or is not."""

    member: str
    before: object
    after: object


class AuditRecord(Struct, frozen=True, rename="camel", kw_only=True):
    """An event with the object before and after, null where there was none or is none.

    `object_name` is what people call it, `object_id` the id that the functions of its family take, where there are
    any; `changes` are the members that differ. `application` is what the actor used, by its name and the id that
    it goes by, both empty for a command on the folder itself, and before they were kept.
    """

    id: str
    at: str
    revision: int
    actor: str
    application: str
    app_id: str
    acting_for: str
    source_ip: str
    request_id: str
    action: str
    object_kind: str
    object_name: str
    object_id: str
    category: str
    changes: Sequence[AuditChange]
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None


class VerifyAudit(Struct, frozen=True):
    """`known` is a digest that was noted before, which a row has to have still."""

    known: str = ""


class BrokenLink(Struct, frozen=True):
    """An event that does not follow from the one before it. `id` is empty where events are missing that no other
    one follows, or the digest that was noted."""

    id: str
    why: str


class AuditVerified(Struct, frozen=True):
    """Whether the log is as it was written, the first events that are not, how many there are, and the digest of
    the newest, to be noted elsewhere."""

    whole: bool
    events: int
    head: str
    broken: Sequence[BrokenLink]


class GetHistory(Struct, frozen=True, rename="camel", kw_only=True):
    """Whose history to list, the newest version first: an object's, by its id, also when it is gone; what one
    request changed, by its id; or one event alone."""

    object_id: str | None = None
    event_id: str | None = None
    request_id: str | None = None
    oldest_first: bool = False


class Restore(Struct, frozen=True, rename="camel", kw_only=True):
    """What is to become again what it was; exactly one of three.

    `event_id`: the object of an event, as it was after that, or with `before` as it was before. `request_id`: all
    that this request changed, as it was before. `at`: all that was changed since, as it was then, a time or how
    long ago. What somebody else changed after the request is a conflict, unless `force` says to overwrite it. With
    `dry_run` nothing is changed, and conflicts are told among what would be done.
    """

    event_id: str = ""
    before: bool = False
    request_id: str = ""
    at: str = ""
    dry_run: bool = False
    force: bool = False


class RestoreOutcome(StrEnum):
    """What becomes of an object."""

    MADE = "made"
    CHANGED = "changed"
    REMOVED = "removed"
    UNCHANGED = "unchanged"
    LEFT = "left"
    CONFLICT = "conflict"


class RestoredObject(Struct, frozen=True, rename="camel"):
    """An object and what becomes of it; `why` it is left as it is, or cannot become what it was. `changes` are
    from what it is now to what it was."""

    object_kind: str
    object_id: str
    object_name: str
    outcome: RestoreOutcome
    why: str = ""
    changes: Sequence[AuditChange] = ()


class Restored(Struct, frozen=True, rename="camel"):
    """What became of each object, or with `dry_run` would; `changed` is how many are now others."""

    dry_run: bool
    changed: int
    objects: Sequence[RestoredObject]
