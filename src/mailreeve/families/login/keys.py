"""Which keys does an account have? Found, listed, exchanged, taken away.

An application has an id and a key, an OAuth client of its own, and bindings: the access and secret keys of users.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import Select, and_, delete, func, select, update

from mailreeve.families.directory.users.rows import user
from mailreeve.families.login.rows import application, binding
from mailreeve.families.machinery.pages import Listing
from mailreeve.store.loading import stream_named
from mailreeve.store.records import given, maker, ours
from mailreeve.store.transactions import Work
from mailreeve.wire.pagination import Asked, Page

SHORTEST: Final = 8  # characters of an access key that name it, where no other begins so


class ListedApplication(Struct, frozen=True):
    """An application, without what is secret of it."""

    id: str
    app_id: str
    name: str
    role: str
    client_id: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_from: str | None


class ListedBinding(Struct, frozen=True):
    """The keys of a user for an application, without what is secret of them."""

    id: str
    application_id: str
    access_key: str
    user_id: str
    address: str
    role: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_from: str | None
    signed_in_at: datetime | None


_found: Final = application.c
_applications: Final = select(
    _found.id,
    _found.app_id,
    _found.name,
    _found.role,
    _found.client_id,
    _found.created_at,
    _found.expires_at,
    _found.last_used_at,
    _found.last_used_from,
).where(ours(application))
_bindings: Final[Select[tuple[object, ...]]] = (
    select(
        binding.c.id,
        binding.c.application_id,
        binding.c.access_key,
        binding.c.user_id,
        user.c.address,
        user.c.role,
        binding.c.created_at,
        binding.c.expires_at,
        binding.c.last_used_at,
        binding.c.last_used_from,
        binding.c.signed_in_at,
    )
    .join(user, and_(user.c.account_id == binding.c.account_id, user.c.id == binding.c.user_id))
    .where(ours(binding))
)
_make_application: Final = maker(ListedApplication)
_make_binding: Final = maker(ListedBinding)
_listing: Final = Listing(_applications, _found.id, _make_application, all_at_once=True)
_count: Final = select(func.count()).select_from(application).where(ours(application))
_named: Final = _applications.where((_found.app_id == given("named")) | (_found.client_id == given("named")))
_with_id: Final = _applications.where(_found.id == given("key"))
_beginning: Final = _bindings.where(
    binding.c.access_key >= given("named"), binding.c.access_key < given("beyond")
).limit(2)
_exact: Final = _bindings.where(binding.c.access_key == given("named"))
_of_application: Final = _bindings.where(binding.c.application_id == given("key"))
_delete_bindings: Final = delete(binding).where(ours(binding), binding.c.application_id == given("key"))
_delete_binding: Final = delete(binding).where(ours(binding), binding.c.id == given("key"))
_delete_application: Final = delete(application).where(ours(application), _found.id == given("key"))
_set_role: Final = (
    update(application).where(ours(application), _found.id == given("key")).values(role=given("other"))
)
_exchange_secret: Final = (
    update(binding)
    .where(ours(binding), binding.c.id == given("key"))
    .values(secret_key=given("new"), old_secret_key=given("old"), old_until=given("until"))
)
_exchange_application: Final = (
    update(application)
    .where(ours(application), _found.id == given("key"))
    .values(
        app_key=given("new"),
        client_secret=given("new_secret"),
        old_app_key=given("old"),
        old_client_secret=given("old_secret"),
        old_until=given("until"),
    )
)
_secret: Final = select(binding.c.secret_key).where(ours(binding), binding.c.id == given("key"))
_secrets: Final = select(_found.app_key, _found.client_secret).where(ours(application), _found.id == given("key"))


def page(work: Work, asked: Asked) -> Page[ListedApplication]:
    """A page of the applications, oldest first, or all of them when no page was asked for."""
    return _listing.page(work, asked, lambda: count(work))


def count(work: Work) -> int:
    """How many applications the account has."""
    found: int = work.run(_count).scalar_one()
    return found


def bound_to(work: Work, applications: Iterable[str]) -> dict[str, list[ListedBinding]]:
    """From the key of each of these applications to the keys that users have for it, oldest first."""
    bound: dict[str, list[ListedBinding]] = {}
    rows = stream_named(work, _bindings, binding.c.application_id, sorted(applications))
    for row in sorted(rows, key=lambda one: str(one[0])):
        one = _make_binding(row)
        bound.setdefault(one.application_id, []).append(one)
    return bound


def find_application(work: Work, name: str) -> ListedApplication | None:
    """The application with this id, or whose OAuth client has it."""
    row = work.run(_named, {"named": name}).one_or_none()
    return None if row is None else _make_application(row)


def application_of(work: Work, key: str) -> ListedApplication:
    """The application with this key."""
    found: ListedApplication = _make_application(work.run(_with_id, {"key": key}).one())
    return found


def find_bindings(work: Work, name: str) -> Sequence[ListedBinding]:
    """The binding whose access key this is; or else those, two at most, whose access key begins so."""
    rows = work.run(_exact, {"named": name}).all()
    if not rows and len(name) >= SHORTEST:
        # Access keys are ASCII, so none that begins so comes after this.
        rows = work.run(_beginning, {"named": name, "beyond": name + "\x7f"}).all()
    return [_make_binding(row) for row in rows]


def bindings_of(work: Work, application_id: str) -> Sequence[ListedBinding]:
    """The keys that users have for an application."""
    return [_make_binding(row) for row in work.run(_of_application, {"key": application_id})]


def delete_application(work: Work, key: str) -> None:
    """Remove an application with all its bindings."""
    work.run(_delete_bindings, {"key": key})
    work.run(_delete_application, {"key": key})


def delete_binding(work: Work, key: str) -> None:
    """Remove a binding."""
    work.run(_delete_binding, {"key": key})


def set_role(work: Work, key: str, role: str) -> None:
    """Give an application another role."""
    work.run(_set_role, {"key": key, "other": role})


def exchange_secret(work: Work, key: str, sealed: bytes, until: datetime | None) -> None:
    """Give a binding another secret key; the one there is stays good until then, if it is said."""
    old = None if until is None else work.run(_secret, {"key": key}).scalar_one()
    work.run(_exchange_secret, {"key": key, "new": sealed, "old": old, "until": until})


def exchange_application(work: Work, key: str, sealed: bytes, client_secret: str, until: datetime | None) -> None:
    """Give an application another key and another client secret; those there are stay good until then, if it is
    said."""
    old = (None, None) if until is None else work.run(_secrets, {"key": key}).one()
    values = {"new": sealed, "new_secret": client_secret, "old": old[0], "old_secret": old[1], "until": until}
    work.run(_exchange_application, {"key": key, **values})
