"""The items and answers of the endpoints about proxies that ask, ours."""

from __future__ import annotations

from msgspec import Struct

from mailreeve.formats.forward_auth import ProxyKind


class CreateWebProxy(Struct, frozen=True, rename="camel"):
    """A proxy that is to ask at `/web/check`. `kind` says by whose headers its questions are read. `user_header`
    names the header in which it says whom it authenticated: one that it sets itself, or takes away."""

    name: str
    kind: ProxyKind
    user_header: str | None = None


class EveryWebProxy(Struct, frozen=True):
    """All proxies are listed; there is nothing to say."""


class OneWebProxy(Struct, frozen=True):
    """One proxy, by id."""

    id: str


class WebProxyAnswer(Struct, frozen=True, rename="camel"):
    """A proxy that asks, and who made it when."""

    id: str
    name: str
    kind: ProxyKind
    user_header: str
    created: str
    made_by: str


class NewWebProxy(WebProxyAnswer, frozen=True, rename="camel"):
    """A new proxy with its token, which is told this once and kept nowhere."""

    token: str


class DeletedWebProxy(Struct, frozen=True):
    """A proxy whose token is no good any more."""

    id: str
