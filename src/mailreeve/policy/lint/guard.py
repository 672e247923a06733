"""What is done about a wide block. Apart from what finds one (`reach`): settings name it, and are read by every
command, which need not load that.
"""

from __future__ import annotations

from enum import StrEnum


class ReachGuard(StrEnum):
    """What is done about a wide block that nobody has confirmed."""

    WARN = "warn"
    REFUSE = "refuse"
    OFF = "off"
