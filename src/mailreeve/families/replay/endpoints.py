"""The replay endpoint, ours: the live service has nothing like it (behaviour.md section 12, row 2)."""

from __future__ import annotations

import time
from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.turns import one_at_a_time
from mailreeve.families.replay import operations
from mailreeve.families.replay.types import ReplayAnswer, ReplayDraft
from mailreeve.wire.endpoint import endpoint

MOST: Final = 1_000_000  # records that one call looks at
TIME: Final = 20.0  # seconds that one call takes for looking, about; clients wait for thirty


@endpoint("ext/replay-draft", Permission.GATEWAY_POLICIES_EDIT, most=1)
def replay_draft(call: Call, item: ReplayDraft) -> ReplayAnswer:
    """Say what a draft of changes would have done to the messages of the past days. Nothing is changed.

    Each step needs the permission of its endpoint as well.
    """
    most = MOST if item.most is None else min(item.most, MOST)
    end = time.monotonic() + TIME

    def stop(looked_at: int) -> str:
        return f"the call took {TIME:.0f} seconds" if time.monotonic() > end else ""

    with one_at_a_time():
        return operations.replay(call, ReplayDraft(item.draft, item.since, most), stop)


ENDPOINTS: Final = (replay_draft,)
