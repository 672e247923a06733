"""How does a view answer, and how does it refuse?"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from mailreeve.api.views.view import Asked, NotDone, Perform, View
from mailreeve.wire import envelope


def answer(
    view: View, id_: str, query: Mapping[str, str], body: bytes, perform: Perform
) -> tuple[int, bytes | None]:
    """The HTTP status and the body, None where there is none. Raises `RequestRefused` for a body that cannot be
    read, and whatever `perform` raises.

    Errors stand twice in a refusal: some clients look for them where the API 1.0 has them, others right in
    `errors` (api.md section 1.4).
    """
    try:
        told = view.answer(Asked(id_, query, envelope.members(body)), perform)
    except NotDone as refused:
        errors = refused.problems
        status = refused.status
        return status, msgspec.json.encode(
            {"meta": {"status": status}, "data": [], "fail": [{"errors": errors}], "errors": errors}
        )
    return told.status, None if told.body is None else msgspec.json.encode(told.body)
