"""Groups and their members as the API 2.0 has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mailreeve.api.views.view import MOST_ON_PAGE, Asked, Members, NotDone, Perform, Told, View, page
from mailreeve.wire.errors import NULL, problem

PATH: Final = "/directory/cloud-gateway/v1/groups"
_OF_MEMBER: Final = {"note": "notes"}
"""Members that have another name in the API 1.0."""


def create(asked: Asked, perform: Perform) -> Told:
    """A new group."""
    (row,) = perform("directory/create-group", [asked.body], {}).done()
    return Told(201, _group(row))


def every(asked: Asked, perform: Perform) -> Told:
    """All groups, or those whose name holds `query`."""
    found = perform("directory/find-groups", [{"query": asked.query.get("query")}], asked.paging())
    rows = [_group(one) for one in _inner(found.done(), "folders")]
    return Told(200, page("groups", rows, found.next))


def read(asked: Asked, perform: Perform) -> Told:
    """One group."""
    (row,) = perform("directory/get-group", [{"id": asked.id}], {}).done()
    return Told(200, _group(row))


def change(asked: Asked, perform: Perform) -> Told:
    """Another name or another parent."""
    perform("directory/update-group", [{**asked.body, "id": asked.id}], {}).done()
    return Told(204)


def delete(asked: Asked, perform: Perform) -> Told:
    """No more group."""
    perform("directory/delete-group", [{"id": asked.id}], {}).done()
    return Told(204)


def members(asked: Asked, perform: Perform) -> Told:
    """Who is in a group; also as `data`, where one client looks."""
    found = perform("directory/get-group-members", [{"id": asked.id}], asked.paging())
    rows = [{**one, "note": one.get("notes", "")} for one in _inner(found.done(), "groupMembers")]
    return Told(200, page("groupMembers", rows, found.next, "data"))


def add(asked: Asked, perform: Perform) -> Told:
    """More members: a result for each, in their order."""
    return _each("directory/add-group-member", asked, perform)


def remove(asked: Asked, perform: Perform) -> Told:
    """Fewer members: a result for each, in their order."""
    return _each("directory/remove-group-member", asked, perform)


def _each(function: str, asked: Asked, perform: Perform) -> Told:
    given = asked.body.get("groupMembers", asked.body.get("data"))
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_ON_PAGE or not all(map(_is_object, given)):
        text = f"groupMembers must be a list of 1 to {MOST_ON_PAGE} objects with an emailAddress or a domain"
        raise NotDone([problem(NULL, "groupMembers", text)])
    results: list[Members] = []
    for one in given:
        item = {_OF_MEMBER.get(name, name): value for name, value in one.items() if value not in ("", None)}
        done = perform(function, [{**item, "id": asked.id}], {})
        if not done.refused:
            results.append({"success": True, **done.rows[0]})
        elif len(given) == 1:
            raise NotDone(done.refused[0])
        else:
            results.append({"success": False, "errors": done.refused[0]})
    return Told(200, {"results": results})


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _group(row: Members) -> Members:
    return {**row, "groupCount": row.get("folderCount", 0)}


def _inner(rows: Sequence[Members], name: str) -> list[Members]:
    found = [one for row in rows if isinstance(inner := row.get(name), list) for one in inner]
    return [one for one in found if isinstance(one, dict)]


VIEWS: Final = (
    View("POST", PATH, create),
    View("GET", PATH, every),
    View("GET", f"{PATH}/{{id}}", read),
    View("PATCH", f"{PATH}/{{id}}", change),
    View("DELETE", f"{PATH}/{{id}}", delete),
    View("GET", f"{PATH}/{{id}}/members", members),
    View("POST", f"{PATH}/{{id}}/members", add),
    View("POST", f"{PATH}/{{id}}/remove-members", remove),
)
