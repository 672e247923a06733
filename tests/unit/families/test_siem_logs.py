"""Files for a monitoring system: every record once, in both forms, and nothing that breaks a line."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from tests.unit.families.test_gateway_records import Corp

from mailreeve.families.tracking import siem_logs
from mailreeve.families.tracking.outcomes import State
from mailreeve.formats.authors import HeaderFrom
from mailreeve.wire.errors import ItemRefused
from mailreeve.wire.raw_answer import RawAnswer

LOGS = "audit/get-siem-logs"


@pytest.fixture
def corp(account) -> Corp:
    return Corp(account)


def fetched(corp: Corp, **item: object) -> RawAnswer:
    """The next file."""
    (answer,) = corp.account.done(LOGS, item).data
    return answer


def lines(answer: RawAnswer) -> list[dict[str, str]]:
    """The lines of a file of pairs."""
    text = b"".join(answer.content).decode()
    return [dict(pair.split("=", 1) for pair in line.split("|")) for line in text.splitlines()]


def test_a_message_has_a_line_in_each_log_that_is_about_it(corp) -> None:
    corp.keep(State.DELIVERED, size=5_000, hop_reply="250 OK", message_id="<1@x.test>", subject="Hello")
    corp.keep(State.REJECTED)
    corp.keep(State.HELD, size=100, description="Spam")
    answer = fetched(corp, type="MTA", compress=True, fileFormat="json")
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.content))) as archive:
        found = {name.partition("_")[0]: json.loads(archive.read(name))["data"] for name in archive.namelist()}
    assert [(one["Act"], one["Dir"]) for one in found["receipt"]] == [
        ("Acc", "Inbound"),
        ("Rej", "Inbound"),
        ("Acc", "Inbound"),
    ]
    assert [(one["Act"], one.get("Hld")) for one in found["process"]] == [("Acc", None), ("Hld", "Spam")]
    (delivered,) = found["delivery"]
    assert (delivered["Delivered"], delivered["ReceiptAck"], delivered["Snt"]) == (True, "250 OK", 5_000)
    assert delivered["aCode"] == found["receipt"][0]["aCode"]
    assert found["receipt"][1]["RejCode"] == "550"


def test_nothing_is_left_out_and_nothing_told_twice(corp, monkeypatch) -> None:
    """Also what comes between two files, however few records a file has."""
    monkeypatch.setattr(siem_logs, "RECORDS", 2)
    token, seen = "", []
    for round_ in range(4):
        for n in range(3):
            corp.keep(State.REJECTED, message_id=f"<{round_}.{n}@x.test>")
        answer = fetched(corp, token=token)
        seen += [line["MsgId"] for line in lines(answer)]
        token = answer.headers()[siem_logs.HEADER]
    while (answer := fetched(corp, token=token)).name:
        seen += [line["MsgId"] for line in lines(answer)]
        token = answer.headers()[siem_logs.HEADER]
    assert seen == [f"<{round_}.{n}@x.test>" for round_ in range(4) for n in range(3)]
    assert json.loads(b"".join(answer.content))["meta"] == {"isLastToken": True, "status": 200}
    corp.keep(State.REJECTED, message_id="<later@x.test>")
    assert [line["MsgId"] for line in lines(fetched(corp, token=token))] == ["<later@x.test>"]


def test_what_a_stranger_wrote_breaks_no_line(corp) -> None:
    author = HeaderFrom(None, "a|Act=Acc\r\nb")
    corp.keep(State.REJECTED, subject="x|Act=Acc\ny", header_from=(author,))
    corp.keep(State.REJECTED, subject="a\x0bb\x0cc\x1dd\x85e\u2028f\u2029g")
    line, other = lines(fetched(corp))
    assert (line["Act"], line["Subject"], line["headerFrom"]) == ("Rej", "x Act=Acc y", "a Act=Acc  b")
    assert other["Subject"] == "a b c d e f g"


def test_the_name_of_the_file_is_found_by_those_who_split_the_header(corp) -> None:
    corp.keep(State.REJECTED)
    headers = fetched(corp).headers()
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].split('="')[1][:-1].endswith(".log")


@pytest.mark.parametrize(
    ("item", "field"),
    [({"type": "DLP"}, "type"), ({"fileFormat": "xml"}, "fileFormat"), ({"token": "nonsense"}, "token")],
)
def test_what_is_wrong_is_named(corp, item, field) -> None:
    with pytest.raises(ItemRefused) as caught:
        corp.account.call(LOGS, item)
    assert [one.field for one in caught.value.problems] == [field]
