"""The functions of web log. Made by tools/make_client.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class AccessRequestAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"decision_id": "decisionId", "asked_from": "askedFrom"},
):
    """Who asked to be let through to what. `decisionId` is that of the decision that blocked it."""

    id: str = ""
    decision_id: str = ""
    at: str = ""
    user: str = ""
    asked_from: str = ""
    url: str = ""
    policy: str = ""
    reason: str = ""


class ClickAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "user_email_address": "userEmailAddress",
        "from_user_email_address": "fromUserEmailAddress",
        "ttp_definition": "ttpDefinition",
        "admin_override": "adminOverride",
        "user_override": "userOverride",
        "scan_result": "scanResult",
        "sending_ip": "sendingIp",
        "user_awareness_action": "userAwarenessAction",
        "creation_method": "creationMethod",
        "email_parts_description": "emailPartsDescription",
        "message_id": "messageId",
    },
):
    """A web request that a managed URL or a web list decided, as clients of the API know a click on a URL.
    `ttpDefinition` names what decided, `adminOverride` says that it was a managed URL. What is only known
    of a URL in a message is empty.
    """

    user_email_address: str = ""
    from_user_email_address: str = ""
    url: str = ""
    ttp_definition: str = ""
    subject: str = ""
    action: str = ""
    admin_override: str = ""
    user_override: str = ""
    scan_result: str = ""
    category: str = ""
    sending_ip: str = ""
    user_awareness_action: str = ""
    date: str = ""
    actions: str = ""
    route: str = ""
    creation_method: str = ""
    email_parts_description: tuple[str, ...] = ()
    message_id: str = ""


class ClicksAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"click_logs": "clickLogs"}):
    """A page of clicks."""

    click_logs: tuple[ClickAnswer, ...] = ()


class ClosedAccessRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request for access that is on the list no more."""

    id: str = ""
    closed: bool = False
    url: str | None = None


class EntryOfWebRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The entry that settled a decision."""

    type: str = ""
    value: str = ""
    action: str = ""


class PolicyOfWebRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The list that settled a decision, or the temporary allow, as it was called then."""

    id: str = ""
    description: str = ""


class WebRecordAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "host_only": "hostOnly",
        "url_cut": "urlCut",
        "settled_by": "settledBy",
        "not_enforceable": "notEnforceable",
    },
):
    """A decision about a web request. `user` is who browsed as policies know them, `login` what the proxy
    called them; both are empty where nobody was known. `settledBy` names what settled it where that was no
    list. `notEnforceable` counts the entries that nobody could look at, as the door saw the host alone.
    """

    id: str = ""
    at: str = ""
    door: str = ""
    method: str = ""
    url: str = ""
    host: str = ""
    host_only: bool = False
    url_cut: bool = False
    verdict: str = ""
    user: str = ""
    login: str = ""
    client: str = ""
    location: str = ""
    policy: PolicyOfWebRecord | None = None
    entry: EntryOfWebRecord | None = None
    settled_by: str = ""
    not_enforceable: int = 0
    revision: int = 0


class WebRecordDetail(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "host_only": "hostOnly",
        "url_cut": "urlCut",
        "settled_by": "settledBy",
        "not_enforceable": "notEnforceable",
    },
):
    """A record with what would be decided today."""

    id: str = ""
    at: str = ""
    door: str = ""
    method: str = ""
    url: str = ""
    host: str = ""
    host_only: bool = False
    url_cut: bool = False
    verdict: str = ""
    user: str = ""
    login: str = ""
    client: str = ""
    location: str = ""
    policy: PolicyOfWebRecord | None = None
    entry: EntryOfWebRecord | None = None
    settled_by: str = ""
    not_enforceable: int = 0
    revision: int = 0
    today: WebToday = field(default_factory=lambda: WebToday())


class WebToday(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the policies of now make of a recorded request. `why` says which entries hold for it, best first."""

    revision: int = 0
    verdict: str = ""
    policy: PolicyOfWebRecord | None = None
    entry: EntryOfWebRecord | None = None
    differs: bool = False
    why: tuple[str, ...] = ()


class WebLogFunctions:
    """What can be asked about web log."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def find_web_records(
        self,
        *,
        verdict: Literal["allow", "block", "none"] | None = None,
        host: str | None = None,
        domain: str | None = None,
        user: str | None = None,
        client: str | None = None,
        policy_id: str | None = None,
        since: str | None = None,
        until: str | None = None,
        oldest_first: bool | None = None,
        page_size: int | None = None,
    ) -> Iterator[WebRecordAnswer]:
        """List decisions about web requests: all blocks, and a sample of what passed."""
        return self._api.every_of(
            WebRecordAnswer,
            "ext/find-web-records",
            {
                "verdict": verdict,
                "host": host,
                "domain": domain,
                "user": user,
                "client": client,
                "policyId": policy_id,
                "since": since,
                "until": until,
                "oldestFirst": oldest_first,
            },
            page_size=page_size,
        )

    def get_web_record(self, *, id: str) -> WebRecordDetail:
        """Show a decision about a web request, and what would be decided today."""
        return self._api.one_of(WebRecordDetail, "ext/get-web-record", {"id": id})

    def get_web_access_requests(self, *, page_size: int | None = None) -> Iterator[AccessRequestAnswer]:
        """List who asked on a block page to be let through, and why."""
        return self._api.every_of(AccessRequestAnswer, "ext/get-web-access-requests", {}, page_size=page_size)

    def close_web_access_request(self, *, id: str) -> ClosedAccessRequest:
        """Take a request for access from the list, once it is answered."""
        return self._api.one_of(ClosedAccessRequest, "ext/close-web-access-request", {"id": id})

    def get_logs(
        self,
        *,
        from_: str | None = None,
        to: str | None = None,
        route: Literal["all", "inbound", "outbound", "internal"] | None = None,
        scan_result: Literal["all", "clean", "malicious"] | None = None,
        oldest_first: bool | None = None,
        page_size: int | None = None,
    ) -> Iterator[ClicksAnswer]:
        """List the web requests that a managed URL or a web list decided."""
        return self._api.every_of(
            ClicksAnswer,
            "ttp/url/get-logs",
            {"from": from_, "to": to, "route": route, "scanResult": scan_result, "oldestFirst": oldest_first},
            page_size=page_size,
        )


class AsyncWebLogFunctions:
    """What can be asked about web log."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    def find_web_records(
        self,
        *,
        verdict: Literal["allow", "block", "none"] | None = None,
        host: str | None = None,
        domain: str | None = None,
        user: str | None = None,
        client: str | None = None,
        policy_id: str | None = None,
        since: str | None = None,
        until: str | None = None,
        oldest_first: bool | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[WebRecordAnswer]:
        """List decisions about web requests: all blocks, and a sample of what passed."""
        return self._api.every_of(
            WebRecordAnswer,
            "ext/find-web-records",
            {
                "verdict": verdict,
                "host": host,
                "domain": domain,
                "user": user,
                "client": client,
                "policyId": policy_id,
                "since": since,
                "until": until,
                "oldestFirst": oldest_first,
            },
            page_size=page_size,
        )

    async def get_web_record(self, *, id: str) -> WebRecordDetail:
        """Show a decision about a web request, and what would be decided today."""
        return await self._api.one_of(WebRecordDetail, "ext/get-web-record", {"id": id})

    def get_web_access_requests(self, *, page_size: int | None = None) -> AsyncIterator[AccessRequestAnswer]:
        """List who asked on a block page to be let through, and why."""
        return self._api.every_of(AccessRequestAnswer, "ext/get-web-access-requests", {}, page_size=page_size)

    async def close_web_access_request(self, *, id: str) -> ClosedAccessRequest:
        """Take a request for access from the list, once it is answered."""
        return await self._api.one_of(ClosedAccessRequest, "ext/close-web-access-request", {"id": id})

    def get_logs(
        self,
        *,
        from_: str | None = None,
        to: str | None = None,
        route: Literal["all", "inbound", "outbound", "internal"] | None = None,
        scan_result: Literal["all", "clean", "malicious"] | None = None,
        oldest_first: bool | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[ClicksAnswer]:
        """List the web requests that a managed URL or a web list decided."""
        return self._api.every_of(
            ClicksAnswer,
            "ttp/url/get-logs",
            {"from": from_, "to": to, "route": route, "scanResult": scan_result, "oldestFirst": oldest_first},
            page_size=page_size,
        )
