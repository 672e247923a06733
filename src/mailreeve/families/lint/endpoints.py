"""The lint endpoint, ours: the live service has nothing like it (behaviour.md section 12, row 6)."""

from __future__ import annotations

import time
from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.lint import operations
from mailreeve.families.lint.types import LintAnswer, LintPolicies
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.turns import one_at_a_time
from mailreeve.policy.lint.findings import Finding
from mailreeve.wire.endpoint import endpoint

MAIL: Final = Permission.GATEWAY_POLICIES_READ
WEB: Final = Permission.WEB_SECURITY_POLICIES_READ
TIME: Final = 20.0  # seconds that one call takes for looking, about; clients wait for thirty


@endpoint("ext/lint-policies", MAIL, WEB, most=1)
def lint_policies(call: Call, item: LintPolicies) -> LintAnswer:
    """Say which policies can never win, win by chance, or come to nothing.

    Of mail and of the web each caller hears what the own permissions let them read.
    """

    def readable(finding: Finding) -> bool:
        return call.caller.may((WEB,) if finding.about_web else (MAIL,))

    end = time.monotonic() + TIME

    def stop(looked_at: int) -> str:
        return f"the call took {TIME:.0f} seconds" if time.monotonic() > end else ""

    with one_at_a_time():
        return operations.lint_policies(
            call.policies,
            call.ids,
            item,
            call.work.now,
            web_proxy=call.installation.web_proxy,
            spam_engine=call.installation.spam_engine,
            zones=call.installation.zones,
            unreadable=operations.left_out(call.work, call.policies),
            wanted=readable,
            stop=stop,
        )


ENDPOINTS: Final = (lint_policies,)
