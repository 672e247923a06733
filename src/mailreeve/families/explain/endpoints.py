"""The explain endpoints, ours: the live service has nothing like them (design.md section 7)."""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.explain import operations
from mailreeve.families.explain.types import ExplainMessage, ExplainWeb, MessageExplanation, WebExplanation
from mailreeve.families.machinery.call import Call
from mailreeve.families.web_log import reading as web_log
from mailreeve.wire.endpoint import endpoint


@endpoint("ext/explain-message", Permission.GATEWAY_POLICIES_READ)
def explain_message(call: Call, item: ExplainMessage) -> MessageExplanation:
    """Say what would become of a message, and why."""
    return operations.explain_message(call.policies, call.ids, call.work.account_id, item, call.work.now)


@endpoint("ext/explain-web", Permission.WEB_SECURITY_POLICIES_READ)
def explain_web(call: Call, item: ExplainWeb) -> WebExplanation:
    """Say what would become of a web request, and why."""
    record = None if item.decision_id is None else web_log.get(call, item.decision_id, "decisionId")
    return operations.explain_web(call.policies, call.ids, call.work.account_id, item, call.work.now, record)


ENDPOINTS: Final = (explain_message, explain_web)
