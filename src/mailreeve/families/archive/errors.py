"""Errors of the archive."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

NO_MESSAGE: Final = Fault(
    "err_archive_message_not_found", "There is no such archived message, or none that you may see"
)
NO_FILE: Final = Fault("err_archive_file_not_found", "The archived message has no such part")
NO_MAILBOX: Final = Fault("err_archive_mailbox_not_found", "There is no such mailbox, or none that you may open")
UNREADABLE: Final = Fault("err_archive_unreadable", "What is kept of the message cannot be read")
BAD_QUERY: Final = Fault("err_invalid_search_xml", "The search is not valid XML of a search")
