"""The item and answer of the log of clicks on URLs (api.md section 3.14)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct, field


class ClickRoute(StrEnum):
    """Which way the message went whose URL was clicked. Web requests have no such way: each narrows nothing."""

    ALL = "all"
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


class ClickResult(StrEnum):
    """What was made of a URL."""

    ALL = "all"
    CLEAN = "clean"
    MALICIOUS = "malicious"


class FindClicks(Struct, frozen=True, rename="camel"):
    """Which to list: those from `from` until `to`, without these the ones of today; the newest first."""

    from_: str | None = field(name="from", default=None)
    to: str | None = None
    route: ClickRoute = ClickRoute.ALL
    scan_result: ClickResult = ClickResult.ALL
    oldest_first: bool = False


class ClickAnswer(Struct, frozen=True, rename="camel"):
    """A web request that a managed URL or a web list decided, as clients of the API know a click on a URL.

    `ttpDefinition` names what decided, `adminOverride` says that it was a managed URL. What is only known of a URL
    in a message is empty.
    """

    user_email_address: str
    from_user_email_address: str
    url: str
    ttp_definition: str
    subject: str
    action: str
    admin_override: str
    user_override: str
    scan_result: ClickResult
    category: str
    sending_ip: str
    user_awareness_action: str
    date: str
    actions: str
    route: ClickRoute
    creation_method: str
    email_parts_description: Sequence[str]
    message_id: str


class ClicksAnswer(Struct, frozen=True, rename="camel"):
    """A page of clicks."""

    click_logs: Sequence[ClickAnswer]
