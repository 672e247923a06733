"""Errors of web lists."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

WEB_POLICY_URL_LIMIT: Final = Fault("err_web_policy_url_limit", "The policy holds too many URLs")
WEB_ACCOUNT_URL_LIMIT: Final = Fault("err_web_account_url_limit", "The account holds too many URLs")
WEB_ENTRY_DUPLICATE: Final = Fault("err_web_entry_duplicate", "The URL is in the list twice")
WEB_ENTRY_NOT_FOUND: Final = Fault("err_web_entry_not_found", "The policy holds no URL with this id")
WEB_TARGET_NOT_FOUND: Final = Fault("err_web_target_not_found", "The policy holds no target with this id")
WEB_PUBLIC_SUFFIX: Final = Fault(
    "err_web_public_suffix", "Anybody may have a name below this: the entry is about all of them"
)
WEB_LIST_AMBIGUOUS: Final = Fault("err_web_list_ambiguous", "Several lists have this name")
WEB_ID_TWICE: Final = Fault("err_web_id_twice", "The same id is given twice")
