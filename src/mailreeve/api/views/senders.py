"""Entries of recipients' own lists as the API 2.0 removes them."""

from __future__ import annotations

from typing import Final

from mailreeve.api.views.view import MOST_ON_PAGE, Asked, NotDone, Perform, Told, View
from mailreeve.wire.errors import NOT_ALLOWED, problem

PATH: Final = "/email/cloud-gateway/v1/managed-senders/senders/bulk-delete"
_NARROWING: Final = ("action", "type", "trusted")


def delete(asked: Asked, perform: Perform) -> Told:
    """Remove entries, by their ids. What narrows them further is refused: an entry that is named, and yet not
    meant, would be gone."""
    for name in _NARROWING:
        if asked.body.get(name) is not None:
            text = f"{name} is not offered here: entries are named by their ids alone"
            raise NotDone([problem(NOT_ALLOWED, name, text)])
    ids = asked.body.get("ids")
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_ON_PAGE:
        raise NotDone([problem(NOT_ALLOWED, "ids", f"ids must be a list of 1 to {MOST_ON_PAGE} ids")])
    found = perform("ext/remove-managed-sender", [{"id": one} for one in ids], {})
    if found.refused and not found.rows:
        raise NotDone(found.refused[0])
    errors = [error for several in found.refused for error in several]
    return Told(200, {"deletedCount": len(found.rows), "errors": errors})


VIEWS: Final = (View("POST", PATH, delete),)
