"""What can be done with managed URLs: made, listed, deleted. One is changed by being made anew."""

from __future__ import annotations

from typing import Final

from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.managed_urls import rows
from mailreeve.families.policies.managed_urls.errors import (
    MANAGED_URL_EXISTS,
    MANAGED_URL_LIMIT,
    MANAGED_URL_NOT_FOUND,
)
from mailreeve.families.policies.managed_urls.rows import ManagedUrlRow
from mailreeve.families.policies.managed_urls.types import CreateManagedUrl, FindManagedUrls, MatchType
from mailreeve.formats.weburls import ENTRY_SCHEMES, UrlError, parse_web_url, url_parts
from mailreeve.policy.decide.web import WebEntryError, canonical_entry
from mailreeve.policy.model.policies import WebEntryType
from mailreeve.store.changes import Part
from mailreeve.store.keys import new_key
from mailreeve.wire import fields
from mailreeve.wire.errors import BAD_URL, ItemRefused, refused
from mailreeve.wire.pagination import Page
from mailreeve.wire.policy_object import MAX_DESCRIPTION
from mailreeve.wire.tokens import Kind

KIND: Final = Kind.MANAGED_URL
MOST: Final = 25_000
"""So many may there be, as entries of web lists by default (D-28)."""
MAX_COMMENT: Final = MAX_DESCRIPTION


def create(call: Call, item: CreateManagedUrl) -> ManagedUrlRow:
    """A new managed URL. What means the same as another one, whatever is to become of it, is refused: it has to be
    deleted first (api.md section 1.6). Raises `ItemRefused`."""
    work = call.work
    comment = fields.short(item.comment or "", "comment", MAX_COMMENT)
    written = item.url.strip()
    try:
        value = canonical_entry(WebEntryType.URL, written)
        parts = url_parts(written, ENTRY_SCHEMES)
        if item.match_type is MatchType.DOMAIN:
            value = canonical_entry(WebEntryType.DOMAIN, parts.host)
    except (UrlError, WebEntryError) as reason:
        raise refused(BAD_URL, "url", f"{BAD_URL.message}: {reason}") from reason
    row = ManagedUrlRow(
        id=new_key(),
        match_type=item.match_type,
        action=item.action,
        value=value,
        shown=item.url,
        scheme=parts.scheme,
        domain=parts.host,
        port=parts.port,
        path=parts.path,
        query=parts.query,
        comment=comment,
        disable_user_awareness=item.disable_user_awareness,
        disable_rewrite=item.disable_rewrite,
        disable_log_click=item.disable_log_click,
        created_at=work.now,
    )
    if rows.alike(work, row) is not None:
        raise refused(MANAGED_URL_EXISTS)
    if rows.count(work) >= MOST:
        raise refused(MANAGED_URL_LIMIT, "url", f"{MANAGED_URL_LIMIT.message}: there are {MOST}")
    rows.insert(work, row)
    work.changed(Part.WEB_LISTS, "create", KIND, row.id, after=row)
    return row


def page(call: Call, item: FindManagedUrls) -> Page[ManagedUrlRow]:
    """A page of those that the item asks for. A text that is no URL is named by none."""
    text = item.domain_or_url or ""
    if not text:
        return rows.page(call.work, call.page)
    if not item.exact_match:
        return rows.page_holding(call.work, call.page, text)
    try:
        url = parse_web_url(text, ENTRY_SCHEMES)
        value = canonical_entry(WebEntryType.URL, text)
    except (UrlError, WebEntryError):
        return Page.of_all([])
    bare = not (url.path or url.query)
    return rows.page_naming(call.work, call.page, url.host if bare else "", url.host, value)


def delete(call: Call, wire_id: str) -> None:
    """Delete one. What is no id of one is as good as one that is gone, as the live service has it. Raises
    `ItemRefused`."""
    try:
        row = rows.RECORDS.find(call.work, call.open(KIND, wire_id))
    except ItemRefused as refusal:
        raise refused(MANAGED_URL_NOT_FOUND) from refusal
    if row is None:
        raise refused(MANAGED_URL_NOT_FOUND)
    rows.RECORDS.delete(call.work, row.id)
    call.work.changed(Part.WEB_LISTS, "delete", KIND, row.id, before=row)
