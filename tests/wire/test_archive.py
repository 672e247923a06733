"""The archive, from the SMTP door to the answers of its functions: kept, found, read back octet for octet,
logged."""

from __future__ import annotations

import base64
import json
import re
import smtplib
import time
from collections.abc import Iterator

import pytest

from mailreeve.client import ApiError, Policy, Target

PATIENCE = 30.0  # seconds until a test that waits for the reading of messages gives up

ANN, BOB, OUT = "ann@corp.test", "bob@corp.test", "liz@out.test"

PDF = bytes(range(256)) * 8
ATTACHED = "\r\n".join(
    [
        "From: Liz <liz@out.test>",
        "To: Ann <ann@corp.test>, old@corp.test",
        "Cc: =?utf-8?q?Bj=C3=B6rn?= <bjorn@x.test>",
        "Subject: Quarterly figures",
        "Message-ID: <figures@out.test>",
        "Date: Fri, 27 Nov 2026 10:00:00 +0000",
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=outer",
        "",
        "--outer",
        "Content-Type: multipart/alternative; boundary=inner",
        "",
        "--inner",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "The zebrafish budget is 5=E2=82=AC.",
        "--inner",
        "Content-Type: text/html",
        "",
        "<style>p{}</style><p>The <b>aardvark</b> budget</p>",
        "--inner--",
        "--outer",
        'Content-Type: application/pdf; name="Annual Report.pdf"',
        'Content-Disposition: attachment; filename="Annual Report.pdf"',
        "Content-Transfer-Encoding: base64",
        "",
        *base64.encodebytes(PDF).decode().split("\n"),
        "--outer--",
        "",
    ]
)


def plain(subject: str, text: str, sender: str = OUT, **fields: str) -> str:
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"From: <{sender}>\r\nSubject: {subject}\r\nMessage-ID: <{subject}@x.test>\r\n{more}\r\n{text}\r\n"


def send(live, content: str, sender: str, *recipients: str) -> None:
    with smtplib.SMTP(*live.smtp, local_hostname="client.test", timeout=60) as smtp:
        smtp.sendmail(sender, recipients, content)


def query(text: str = "", mailboxes: str = "", sent: str = "") -> str:
    """The XML of clients."""
    names = ("attachmentcount", "subject", "id", "smash")
    fields = "".join(f"<return-field>{name}</return-field>" for name in names)
    return (
        '<?xml version="1.0"?> \n <xmlquery trace="iql,muse">\n <metadata query-type="emailarchive" '
        f'archive="true" active="false" page-size="25" startrow="0">{mailboxes}<smartfolders/>'
        f"<return-fields>{fields}</return-fields></metadata><muse><text>{text}</text>"
        f'<date select="last_year"/>{sent}<docs select="optional"></docs><route/></muse></xmlquery>'
    )


def search(client, text: str = "", **more: str) -> list[dict]:
    return client.call("archive/search", {"admin": True, "query": query(text, **more)})[0]["items"]


def found(client, text: str) -> dict:
    """The one message that is found by a text, once it has been read."""
    until = time.monotonic() + PATIENCE
    while not (items := search(client, text)):
        assert time.monotonic() < until, f"{text} was not found in {PATIENCE} s"
        time.sleep(0.05)
    (item,) = items
    return item


@pytest.fixture(scope="module")
def live(new_folder, live_server_class, tmp_path_factory) -> Iterator:
    parent = tmp_path_factory.mktemp("archive")
    environment = {"MAILREEVE_RATE_LIMIT": "100000000", "MAILREEVE_ARCHIVE": "on"}
    data, credentials = new_folder(parent)
    server = live_server_class(data, credentials, parent / "maildir", environment=environment)
    server.start()
    try:
        with server.client() as client:
            for address in (ANN, BOB):
                client.call("user/create-user", {"emailAddress": address})
            client.call("user/update-alias", {"alias": "ann.smith@corp.test", "aliasFor": ANN})
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def client(live) -> Iterator:
    with live.client() as made:
        yield made


@pytest.fixture(scope="module")
def figures(live, client) -> dict:
    """The message with a file, found by a word of its text."""
    client.blocked_senders.create(
        Policy("Blocks none of these", Target.address("nobody@out.test"), Target.internal())
    )
    send(live, ATTACHED, OUT, ANN, "stranger@corp.test")
    return found(client, "zebrafish")


def test_a_message_is_found_by_its_text_and_read_back_octet_for_octet(live, client, figures) -> None:
    """As it was delivered: the copy in the mailbox is the copy in the archive."""
    assert figures["subject"] == "Quarterly figures"
    assert figures["displayfromaddress"] == OUT
    assert figures["displayto"] == "ann@corp.test, stranger@corp.test"
    assert (figures["attachmentcount"], figures["status"]) == (1, "ARCHIVED")
    whole = client.octets(
        "archive/get-message-part", {"id": figures["id"], "type": "RFC822", "context": "DELIVERED"}
    )
    delivered = {file.read_bytes() for file in live.maildir.rglob("new/*") if file.is_file()}
    without_return_path = {
        re.sub(rb"\A(?:(?:Return-Path|Delivered-To|X-Original-To):.*\r?\n)+", b"", d) for d in delivered
    }
    assert whole.replace(b"\r\n", b"\n") in {one.replace(b"\r\n", b"\n") for one in without_return_path}
    assert whole.endswith(ATTACHED.encode())
    assert whole == client.octets("archive/get-file", {"id": figures["id"]})


def test_the_details_of_a_message(client, figures) -> None:
    """Header, files with their digests, the beginning of the text; and the policies with their descriptions."""
    (detail,) = client.call("archive/get-message-detail", {"id": figures["id"], "context": "DELIVERED"})
    assert detail["mimeMessageId"] == "<figures@out.test>"
    assert (detail["hasHtmlBody"], detail["hasTextBody"], detail["isReadable"]) == (True, True, True)
    assert detail["messageBodyPreview"].startswith("The zebrafish budget is 5€. The aardvark budget")
    assert len(detail["messageBodyPreview"]) <= 100
    assert detail["from"] == {"emailAddress": OUT, "displayableName": "Liz"}
    assert [one["emailAddress"] for one in detail["to"]] == [ANN, "old@corp.test"]
    assert detail["cc"] == [{"emailAddress": "bjorn@x.test", "displayableName": "Björn"}]
    assert {"name": "subject", "values": ["Quarterly figures"]} in detail["headers"]
    assert detail["envelopeFrom"]["emailAddress"] == OUT
    (file,) = detail["attachments"]
    assert (file["filename"], file["extension"], file["contentType"]) == (
        "Annual Report.pdf",
        "pdf",
        "application/pdf",
    )
    assert client.octets("archive/get-file", {"id": file["id"]}) == PDF
    assert {one["effective"] for one in detail["recipients"]} == {ANN, "stranger@corp.test"}
    assert detail["recipients"][0]["revision"] > 0


def test_the_texts_of_a_message(client, figures) -> None:
    """Each as it was written, its transfer encoding undone."""
    text = client.octets("archive/get-message-part", {"id": figures["id"], "type": "PLAIN"})
    assert text.decode() == "The zebrafish budget is 5€."
    page = client.octets("archive/get-message-part", {"id": figures["id"], "type": "HTML"})
    assert page == b"<style>p{}</style><p>The <b>aardvark</b> budget</p>"
    with pytest.raises(ApiError) as refused:
        client.octets("archive/get-message-part", {"id": figures["id"], "type": "TRANSMISSION_PART"})
    assert refused.value.failures[0].field == "type"


def test_a_file_is_given_as_one_to_be_saved(live, figures) -> None:
    """What a stranger wrote is never a page of ours; a refusal is JSON, as elsewhere."""
    path = "/api/archive/get-file"
    reply = live.post(path, json.dumps({"data": [{"id": figures["id"]}]}).encode())
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["content-disposition"].startswith("attachment;")
    assert reply.headers["x-content-type-options"] == "nosniff"
    refused = live.post(path, json.dumps({"data": [{"id": figures["id"] + ".7"}]}).encode())
    assert (refused.status, refused.headers["content-type"]) == (200, "application/json")
    assert refused.codes() == ["err_archive_file_not_found"]


def test_each_kind_of_words_finds_a_message(client, figures) -> None:
    """Text, HTML, names of files, addresses and domains, by themselves and together; and what is not there does
    not."""
    for text in (
        "aardvark",
        "subject:quarterly",
        '"zebrafish budget"',
        "from:liz@out.test",
        "nothing or aardvark",
    ):
        assert [one["id"] for one in search(client, text)] == [figures["id"]], text
    sent = '<sent select="from">out.test</sent>'
    assert [one["id"] for one in search(client, "zebrafish", sent=sent)] == [figures["id"]]
    assert search(client, "attachment:Annual")[0]["id"] == figures["id"]
    for text in (
        "subject:zebrafish",
        '"budget zebrafish"',
        "aardvark not zebrafish",
        "from:liz@other.test aardvark",
    ):
        assert search(client, text) == [], text
    assert search(client, "zebrafish", sent='<sent select="to">nobody.test</sent>') == []


def test_mailboxes_of_a_search(client, figures) -> None:
    """Those that are named, of users and of addresses that are nobody's."""
    for name, count in ((ANN, 1), ("stranger@corp.test", 1), (BOB, 0)):
        mailboxes = f"<mailboxes><mailbox include-aliases='true'>{name}</mailbox></mailboxes>"
        assert len(search(client, "zebrafish", mailboxes=mailboxes)) == count, name


def test_a_search_without_admin_finds_nothing(client, figures) -> None:
    """It is no error, as clients know it (api.md section 3.13)."""
    assert client.call("archive/search", {"query": query("zebrafish")}) == [{"items": []}]


@pytest.mark.parametrize(
    "xml",
    [
        "from:x@y.com",
        "",
        "<xmlquery>",
        "<other/>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><xmlquery><muse>&b;</muse></xmlquery>",
    ],
)
def test_what_is_no_search_is_refused(client, xml: str) -> None:
    """The field is named, and nothing that a document declares is looked at."""
    with pytest.raises(ApiError) as refused:
        client.call("archive/search", {"admin": True, "query": xml})
    assert refused.value.failures[0].code in ("err_invalid_search_xml", "err_validation_null")


def test_mailboxes_are_listed_by_view_and_page(live, client, figures) -> None:
    """What came and what was sent; aliases among it unless they are left out; newest first, by pages."""
    for number in range(3):
        send(live, plain(f"Note {number}", "x"), OUT, "ann.smith@corp.test")
    send(live, plain("To Bob", "x", ANN), ANN, BOB)

    def subjects(**item: object) -> list[str]:
        return [one["subject"] for one in client.call("archive/get-message-list", {"mailbox": ANN, **item})]

    assert subjects() == ["Note 2", "Note 1", "Note 0", "Quarterly figures"]
    assert subjects(includeAliases=False) == ["Quarterly figures"]
    assert subjects(view="SENT") == ["To Bob"]
    assert subjects(end="2020-01-01T00:00:00+0000", start="2019-01-01T00:00:00+0000") == []
    pages = [
        [row["subject"] for row in page.data]
        for page in client.pages("archive/get-message-list", {"mailbox": ANN, "view": "INBOX"}, page_size=3)
    ]
    assert pages == [["Note 2", "Note 1", "Note 0"], ["Quarterly figures"]]
    row = client.call("archive/get-message-list", {"mailbox": ANN})[0]
    assert row["from"]["emailAddress"] == OUT
    assert row["to"]["emailAddress"] == "ann.smith@corp.test"
    assert row.keys() >= {
        "id", "status", "received", "size", "attachmentCount", "smash", "read", "ccm", "recalled", "expired",
    }  # fmt: skip


def test_searches_and_views_are_logged(client, figures) -> None:
    """Who, what for and of whose mailbox; by text."""
    client.call("archive/search", {"admin": True, "query": query("zebrafish"), "searchReason": "case 17"})
    client.call("archive/get-message-detail", {"id": figures["id"]})
    newest = client.call("archive/get-archive-search-logs", {"query": "case 17"})[0]["logs"][0]
    assert newest["searchText"] == "zebrafish"
    assert (newest["source"], newest["searchReason"], newest["isAdmin"]) == ("archive", "case 17", True)
    assert newest["emailAddr"]
    lists = client.call("archive/get-search-logs", {"query": "/INBOX/"})[0]["logs"]
    assert lists[0]["mailbox"] == ANN
    assert lists[0]["description"] == "Archive Mailbox"
    view = client.call("archive/get-view-logs", {"query": "Quarterly"})[0]
    assert (view["from"], view["to"], view["contentViewed"]) == (OUT, ANN, True)
    assert view["id"] == figures["id"]


def test_policies_are_kept_as_they_were_called_then(live, client) -> None:
    """The description is kept with the email, and a later name does not change that (behaviour.md D-35)."""
    long = "Let partners through: " + "because " * 40
    policy = {
        "description": long,
        "from": {"type": "individual_email_address", "emailAddress": "pia@partner.test"},
        "to": {"type": "internal_addresses"},
    }
    made = client.call("ext/permittedsenders/create-policy", {"policy": policy})[0]
    send(live, plain("From a partner", "xylophone", "pia@partner.test"), "pia@partner.test", ANN)
    message = found(client, "xylophone")
    client.call("ext/permittedsenders/delete-policy", {"id": made["id"]})
    (detail,) = client.call("archive/get-message-detail", {"id": message["id"]})
    (recipient,) = detail["recipients"]
    (applied,) = [one for one in recipient["policies"] if one["type"] == "permitted_senders"]
    assert applied == {"type": "permitted_senders", "id": made["id"], "description": long}


def test_what_is_refused_is_not_archived(live, client) -> None:
    """Nor is a copy of it for those who are refused."""
    client.blocked_senders.create(Policy("Blocked", Target.address("bad@out.test"), Target.internal()))
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(live, plain("Refused", "x", "bad@out.test"), "bad@out.test", ANN)
    assert client.call("ext/find-archived-messages", {"from": "bad@out.test"}) == []
    client.call("ext/find-archived-messages", {})
