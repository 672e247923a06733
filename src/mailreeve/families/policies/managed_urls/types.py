"""The items and answers of the functions about managed URLs (api.md section 3.14)."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from mailreeve.policy.model.policies import WebAction
from mailreeve.wire.items import AsWritten, MaybeEmptyProse


class MatchType(StrEnum):
    """How much a managed URL means: just itself, or its domain with all below."""

    EXPLICIT = "explicit"
    DOMAIN = "domain"


class UrlAction(StrEnum):
    """What becomes of requests for it."""

    PERMIT = "permit"
    BLOCK = "block"

    @property
    def web_action(self) -> WebAction:
        """The same in the words of web lists."""
        return WebAction.ALLOW if self is UrlAction.PERMIT else WebAction.BLOCK


class CreateManagedUrl(Struct, frozen=True, rename="camel"):
    """A URL to manage. The scheme may be missing, and a bare domain is a URL as well. The `disable…` members are
    about mail, whose links are not rewritten here: they are kept, and answered as they were sent."""

    url: AsWritten
    action: UrlAction = UrlAction.BLOCK
    match_type: MatchType = MatchType.EXPLICIT
    comment: MaybeEmptyProse | None = None
    disable_user_awareness: bool = False
    disable_rewrite: bool = False
    disable_log_click: bool = False


class FindManagedUrls(Struct, frozen=True, rename="camel"):
    """Which to list: all, or those whose URL holds a text in any case; with `exact_match` those that name just
    this domain or URL."""

    domain_or_url: str | None = None
    exact_match: bool = False


class OneManagedUrl(Struct, frozen=True):
    """One managed URL, by id."""

    id: str


class ManagedUrlAnswer(Struct, frozen=True, rename="camel"):
    """A managed URL in its parts. `port` is -1 where none was written; `path` and `query_string` are empty where
    there is none."""

    id: str
    scheme: str
    domain: str
    port: int
    path: str
    query_string: str
    match_type: MatchType
    action: UrlAction
    comment: str
    disable_user_awareness: bool
    disable_rewrite: bool
    disable_log_click: bool


class DeletedManagedUrl(Struct, frozen=True):
    """A managed URL that is no more."""

    id: str
    deleted: bool = True


class EncodedUrl(Struct, frozen=True):
    """A URL as it stands in a message."""

    url: AsWritten


class DecodedUrl(Struct, frozen=True):
    """The URL behind a rewritten one. Where it is not rewritten, `success` is false and it is the URL itself."""

    url: str
    success: bool
