"""Which paths of the API 2.0 are there? The one place that lists them."""

from __future__ import annotations

from typing import Final

from mailreeve.api.views import groups, policies, senders
from mailreeve.api.views.view import View

VIEWS: Final = (*policies.VIEWS, *groups.VIEWS, *senders.VIEWS)


def at(path: str) -> dict[str, tuple[View, str]]:
    """The views at a path that was sent, by their methods, each with the id in it."""
    found = ((view, view.id_in(path)) for view in VIEWS)
    return {view.method: (view, id_) for view, id_ in found if id_ is not None}
