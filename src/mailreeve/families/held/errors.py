"""Errors of held mail."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

HELD_NOT_FOUND: Final = Fault("err_held_message_not_found", "There is no such held message")
HELD_DECIDED: Final = Fault("err_held_message_decided", "The message is not held any more")
HELD_NOT_YOURS: Final = Fault(
    "err_held_message_moderated", "Others decide about this message; you may ask for its release"
)
HELD_NOT_ASKED: Final = Fault("err_held_release_not_asked", "Nobody asks for the release of this message")
HELD_NO_SENDER: Final = Fault("err_held_message_no_sender", "The message has no sender to permit or block")
