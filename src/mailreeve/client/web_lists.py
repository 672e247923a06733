"""Web lists: which URLs and domains are allowed or blocked, and for whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec
from msgspec import Struct

from mailreeve.client.api import convert, only
from mailreeve.client.functions.web_lists import WebListsFunctions
from mailreeve.client.policies import Policy

_ROOM: Final = "policy/webwhiteurl/"


class WebEntry(Struct, frozen=True, omit_defaults=True):
    """A URL or a domain. `id` is the server's to give; sent back, it keeps the entry the same entry."""

    action: Literal["allow", "block"]
    type: Literal["url", "domain"]
    value: str
    id: str | None = None


class WebTarget(Struct, frozen=True, omit_defaults=True):
    """For whom a list holds."""

    policy: Policy
    id: str | None = None


class WebList(Struct, frozen=True):
    """A list as the server keeps it."""

    id: str
    description: str
    urls: tuple[WebEntry, ...]
    policies: tuple[WebTarget, ...]


class WebLists(WebListsFunctions):
    """The web lists of the account."""

    def create(
        self, description: str, urls: Sequence[WebEntry], policies: Sequence[Policy | WebTarget]
    ) -> WebList:
        """A new list for those whom any one of the policies names."""
        return self._one("create", _item(description, urls, policies))

    def update(
        self, list_id: str, description: str, urls: Sequence[WebEntry], policies: Sequence[Policy | WebTarget]
    ) -> WebList:
        """The list with other contents; all of them are replaced."""
        return self._one("update", {"id": list_id} | _item(description, urls, policies))

    def get(self, list_id: str) -> WebList:
        """One list."""
        return self._one("get", {"id": list_id})

    def every(self, page_size: int | None = None) -> Iterator[WebList]:
        """All lists."""
        for row in self._api.every(_ROOM + "get-policy-with-targets", page_size=page_size):
            yield convert(row, WebList)

    def delete(self, list_id: str) -> WebList:
        """Remove a list; what it held is given back."""
        return self._one("delete", {"id": list_id})

    def _one(self, verb: str, item: dict[str, object]) -> WebList:
        return only(self._api.call_for(WebList, f"{_ROOM}{verb}-policy-with-targets", item))


def _item(description: str, urls: Sequence[WebEntry], policies: Sequence[Policy | WebTarget]) -> dict[str, object]:
    return {"description": description, "urls": list(urls), "policies": [_flat(policy) for policy in policies]}


def _flat(target: Policy | WebTarget) -> object:
    """A target as requests have it: the policy's members and the target's id side by side, unlike in answers."""
    if isinstance(target, Policy):
        return target
    flat: dict[str, object] = msgspec.to_builtins(target.policy)
    return flat if target.id is None else flat | {"id": target.id}
