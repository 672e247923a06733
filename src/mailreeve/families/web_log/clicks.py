"""What did people do with URLs? The log that clients know as clicks, made of our records of web requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import Call
from mailreeve.families.web_log import rows
from mailreeve.families.web_log.click_types import ClickAnswer, ClickResult, ClickRoute, ClicksAnswer, FindClicks
from mailreeve.families.web_log.record import WebRecord
from mailreeve.families.web_log.rows import Wanted
from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.policy.model.policies import WebPolicyKind
from mailreeve.wire import fields
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.pagination import Page

_NOT_APPLICABLE: Final = "N/A"
_VERDICTS: Final = {ClickResult.CLEAN: WebVerdict.ALLOW, ClickResult.MALICIOUS: WebVerdict.BLOCK}
_OVERRIDES: Final = {WebVerdict.ALLOW: "Permitted", WebVerdict.BLOCK: "Blocked"}


@endpoint("ttp/url/get-logs", Permission.MONITORING_URL_PROTECTION_READ, most=10)
def get_click_logs(call: Call, item: FindClicks) -> Page[ClicksAnswer]:
    """List the web requests that a managed URL or a web list decided."""
    since, until = fields.period(item.from_, item.to, call.work.now)
    wanted = Wanted(
        verdict=_VERDICTS.get(item.scan_result),
        settled=True,
        since=since,
        # What is within the second that is named; and where none is, all there is.
        until=None if item.to is None else until + timedelta(seconds=1),
        oldest_first=item.oldest_first,
    )
    page = rows.page(call.work, call.page, wanted)
    return page.showing([ClicksAnswer([_answer(one) for one in page.rows])])


def _answer(one: WebRecord) -> ClickAnswer:
    blocked = one.verdict is WebVerdict.BLOCK
    action = "block" if blocked else "allow"
    managed = one.kind_then is WebPolicyKind.MANAGED
    return ClickAnswer(
        user_email_address=one.user or one.login,
        from_user_email_address="",
        url=one.url,
        ttp_definition=one.description,
        subject="",
        action=action,
        admin_override=_OVERRIDES[one.verdict] if managed else _NOT_APPLICABLE,
        user_override="None",
        scan_result=ClickResult.MALICIOUS if blocked else ClickResult.CLEAN,
        category="",
        sending_ip=one.client,
        user_awareness_action=_NOT_APPLICABLE,
        date=fields.written(datetime.fromtimestamp(one.at, UTC)),
        actions=action.capitalize(),
        route=ClickRoute.OUTBOUND,
        creation_method="Web Request",
        email_parts_description=(),
        message_id="",
    )


ENDPOINTS: Final = (get_click_logs,)
