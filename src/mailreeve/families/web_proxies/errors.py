"""Errors of proxies that ask."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

WEB_PROXY_NOT_FOUND: Final = Fault("err_web_proxy_not_found", "There is no such proxy")
WEB_PROXY_EXISTS: Final = Fault("err_web_proxy_exists", "There is a proxy of this name already")
WEB_PROXY_LIMIT: Final = Fault("err_web_proxy_limit", "The account has too many proxies")
