"""`mailreeve call`: what is shown of an answer, of a refusal, and of everyday mistakes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner, Result

from mailreeve.cli import calling
from mailreeve.cli.main import main
from mailreeve.cli.objects.call import UNCONFIRMED
from mailreeve.client import Client

KEYS = {"app_id": "i", "app_key": "k", "access_key": "a", "secret_key": base64.b64encode(b"s").decode()}
GOOD = {"emailAddress": "new@corp.test", "name": "N"}
BAD = {"emailAddress": "bad"}
Answering = Callable[..., list[httpx2.Request]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder as `call` sees it."""
    (tmp_path / "mailreeve.toml").write_text("")
    (tmp_path / "credentials.json").write_text(json.dumps(KEYS))
    return tmp_path


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """`answering(*answers)` is a server that gives these, and returns the list of what it was asked."""

    def make(*answers: httpx2.Response | Exception) -> list[httpx2.Request]:
        left, asked = list(answers), []

        def handle(request: httpx2.Request) -> httpx2.Response:
            asked.append(request)
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(calling, "Client", partial(Client, transport=httpx2.MockTransport(handle)))
        return asked

    return make


def run(data: Path, *arguments: str, **environment: str) -> Result:
    clean = {"MAILREEVE_URL": None, "MAILREEVE_HTTP": None, "MAILREEVE_DATA": str(data)}
    return CliRunner(env=clean | environment).invoke(main, ["call", *arguments])


def envelope(*data: object, fail: object = (), status: int = 200, **meta: object) -> httpx2.Response:
    return httpx2.Response(
        status, json={"meta": {"status": status, **meta}, "data": list(data), "fail": list(fail)}
    )


def refusal(key: dict[str, object], *fields: str, code: str = "bad") -> dict[str, object]:
    return {"key": key, "errors": [{"code": code, "message": "No", "field": name} for name in fields]}


def complaint(result: Result) -> str:
    """The one line of a mistake."""
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line.removeprefix("Error: ")


def test_what_was_carried_out_is_shown_beside_every_refusal(data, answering) -> None:
    """Rows on standard output; then warnings, and a line per error with the item's number."""
    fail = [refusal(BAD, "emailAddress", "name"), refusal({"x": 1}, "x")]
    answering(envelope({"id": "1"}, fail=fail, warnings=["Mind"]))
    result = run(data, "user/create-user", *map(json.dumps, (BAD, GOOD, {"x": 1})))
    assert result.exit_code == 1
    assert json.loads(result.stdout) == [{"id": "1"}]
    assert result.stderr.splitlines() == [
        "Warning: Mind",
        "Error: item 1: No (bad in emailAddress, HTTP status 200)",
        "Error: item 1: No (bad in name, HTTP status 200)",
        "Error: item 3: No (bad in x, HTTP status 200)",
    ]


def test_the_only_item_needs_no_number_and_shows_all_its_errors(data, answering) -> None:
    answering(envelope(fail=[refusal(BAD, "a", "b", "c")]))
    result = run(data, "user/create-user", json.dumps(BAD))
    assert (result.exit_code, result.stdout) == (1, "")
    assert [line.split(",")[0] for line in result.stderr.splitlines()] == [
        f"Error: No (bad in {name}" for name in "abc"
    ]


def test_of_items_that_are_alike_the_later_is_the_refused_one(data, answering) -> None:
    """The first was carried out, which is why the second is a duplicate. A password is not repeated in full."""
    item = GOOD | {"password": "hush"}
    answering(envelope({"id": "1"}, fail=[refusal(item | {"password": "********"}, "emailAddress")]))
    result = run(data, "user/create-user", json.dumps(item), json.dumps(item))
    assert "item 2: " in result.stderr


def test_a_call_that_is_refused_as_a_whole_shows_every_error_and_no_rows(data, answering) -> None:
    answering(envelope(fail=[refusal({}, "a", "b")], status=400))
    result = run(data, "user/create-user", json.dumps(GOOD))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == ("Error: No (bad in a, HTTP status 400)\nError: No (bad in b, HTTP status 400)\n")


def test_where_nobody_can_answer_the_option_is_named(data, answering) -> None:
    item = {"option": "block_sender", "confirmReach": False}
    answering(envelope(fail=[refusal(item, "confirmReach", code=UNCONFIRMED)]))
    result = run(data, "policy/blockedsenders/create-policy", '{"option": "block_sender"}')
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: No, or give --yes (")


@pytest.mark.parametrize("problem", [httpx2.ConnectError("[Errno 111] refused"), httpx2.ConnectTimeout("slow")])
def test_no_server(data, answering, problem: Exception) -> None:
    answering(problem)
    assert complaint(run(data, "x/y")) == (
        "no server answers at http://127.0.0.1:8025; start one with `mailreeve serve`, or "
        "give --url with the address that it printed"
    )


def test_a_server_that_speaks_something_else_or_breaks_off(data, answering) -> None:
    """The call may have been carried out, which is said."""
    answering(httpx2.RemoteProtocolError("illegal status line"))
    said = complaint(run(data, "x/y"))
    assert said.startswith("no usable answer from http://127.0.0.1:8025: illegal status line;")
    assert "not known" in said


def test_a_certificate_that_is_not_trusted_is_no_missing_server(data, answering) -> None:
    answering(httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))
    assert complaint(run(data, "x/y")).startswith("no safe connection to http://127.0.0.1:8025: [SSL")


@pytest.mark.parametrize("what", ["IP address", "Hostname"])
def test_a_trusted_certificate_for_another_name_is_not_answered_with_trust(data, answering, what: str) -> None:
    answering(httpx2.ConnectError(f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {what} mismatch"))
    assert "--url wants a name that is in the server's certificate" in complaint(run(data, "x/y"))


@pytest.mark.parametrize("url", ["notaurl", "http://a.test:x"])
def test_an_address_that_is_none(data, url: str) -> None:
    assert f"'{url}' is not the address of a server" in complaint(run(data, "x/y", "--url", url))


@pytest.mark.parametrize("content", [b"# Read me", b'{"app_id": "a"}', b"\xff\xfe", b'{"app_id": "\xff"}'])
def test_a_file_that_holds_no_credentials(data, content: bytes) -> None:
    file = data / "README.md"
    file.write_bytes(content)
    assert complaint(run(data, "x/y", "--credentials", str(file))) == f"{file} does not hold credentials"


def test_credentials_that_are_not_there(data, tmp_path) -> None:
    """It says what to do: make the folder, or name the file."""
    (data / "credentials.json").unlink()
    assert "give --credentials" in complaint(run(data, "x/y"))
    assert "give --credentials" in complaint(run(data, "x/y", "--credentials", str(data / "none.json")))
    said = complaint(run(tmp_path / "new", "x/y"))
    assert f"is not initialised; run: mailreeve init --data {tmp_path / 'new'} --domain NAME" in said


def test_the_server_is_found_by_option_environment_setting_and_default(data, answering) -> None:
    """In that order; an address that means all of a machine's is asked at its own."""

    def asked(*arguments: str, **environment: str) -> str:
        requests = answering(envelope())
        result = run(data, "x/y", *arguments, **environment)
        assert result.exit_code == 0, result.output
        return str(requests[0].url.copy_with(path="/")).rstrip("/")

    assert asked() == "http://127.0.0.1:8025"
    (data / "mailreeve.toml").write_text('http = "0.0.0.0:8026"\ntls_cert = "c"\ntls_key = "k"')
    assert asked() == "https://127.0.0.1:8026"
    assert asked(MAILREEVE_HTTP="[::]:8027") == "https://[::1]:8027"
    assert asked(MAILREEVE_URL="http://b.test:1") == "http://b.test:1"
    assert asked("--url", "http://a.test:1", MAILREEVE_URL="http://b.test:1") == "http://a.test:1"
    assert "MAILREEVE_URL" in run(data, "--help").stdout


@pytest.mark.parametrize(("http", "said"), [("127.0.0.1:0", "give --url"), ("here", "is not HOST:PORT")])
def test_a_setting_that_tells_no_address(data, http: str, said: str) -> None:
    assert said in complaint(run(data, "x/y", MAILREEVE_HTTP=http))


def test_saved_credentials_of_a_real_folder_are_taken(tmp_path, answering) -> None:
    asked = answering(envelope())
    folder = tmp_path / "real"
    done = CliRunner().invoke(
        main,
        ["init", "--data", str(folder), "--domain", "corp.test", "--save", str(folder / "credentials.json")],
    )
    assert done.exit_code == 0, done.output
    # `ready` is what `serve` says once it listens; nothing does yet.
    assert f"{folder} is made." in done.stdout
    assert "ready" not in done.stdout
    assert run(folder, "x/y").exit_code == 0
    assert len(asked) == 1


def test_what_others_wrote_does_nothing_on_the_terminal(data, answering):
    """Rows, warnings and refusals, which an older server or a stranger may have filled with escape sequences."""
    hostile = "\x1b]0;x\x07\u202e\x9b"
    failure = {"key": BAD, "errors": [{"code": f"err{hostile}", "message": f"m{hostile}", "retryable": False}]}
    answering(envelope({"name": f"n{hostile}"}, fail=[failure], warnings=[f"w{hostile}"]))
    result = run(data, "user/create-user", json.dumps(GOOD), json.dumps(BAD))
    assert result.exit_code == 1
    for output in (result.stdout, result.stderr):
        assert not set("\x1b\x07\u202e\x9b") & set(output)
        assert "\\u001b]0;x\\u0007\\u202e\\u009b" in output
    assert json.loads(result.stdout) == [{"name": f"n{hostile}"}]


def numbered(*numbers: int) -> list[dict[str, object]]:
    return [{"domain": f"d{number}.test"} for number in numbers]


def sent(request: httpx2.Request) -> list[dict[str, object]]:
    return json.loads(request.content)["data"]


@pytest.mark.parametrize(
    "text",
    [
        '{"domain": "d1.test"}\n{"domain": "d2.test"}\n\n',
        '[{"domain": "d1.test"}, {"domain": "d2.test"}]',
        '{"domain":\n "d1.test"}\n\n{"domain": "d2.test"}',
        ' [{"domain": "d1.test"}]\n[{"domain": "d2.test"}] ',
    ],
)
def test_standard_input_may_hold_lines_and_lists(data, answering, text) -> None:
    asked = answering(envelope({"id": "1"}, {"id": "2"}))
    done = CliRunner(env={"MAILREEVE_URL": "http://x.test", "MAILREEVE_DATA": str(data)}).invoke(
        main, ["call", "domain/create-domain", "-"], input=text
    )
    assert done.exit_code == 0, done.output
    assert sent(asked[0]) == numbered(1, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"domain": "d1.test"}\n{"domain"', "line 2"),
        ('{"domain": "d1.test"}\n7\n', "not a JSON object (line 2 of standard input)"),
        ("[1]", "not a JSON object"),
        ("", "no JSON object in standard input"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_json_object_is_named_by_its_line(data, answering, text, said) -> None:
    asked = answering()
    done = CliRunner(env={"MAILREEVE_URL": "http://x.test", "MAILREEVE_DATA": str(data)}).invoke(
        main, ["call", "domain/create-domain", "-"], input=text
    )
    assert (done.exit_code, asked) == (2, [])
    assert said in done.stderr


def test_many_items_go_in_batches_and_a_refusal_stops_none(data, answering) -> None:
    """Each is told; errors and warnings name their items by number, from 1, whichever batch they were in."""
    items = numbered(*range(1, 1_202))
    refusal = {"errors": [{"code": "err_x", "message": "no", "retryable": False}], "key": items[700]}
    asked = answering(
        envelope({"id": "a"}, warnings=['"data[1].nmae" is not known and was ignored; "name" is']),
        envelope({"id": "b"}, fail=[refusal], warnings=['"data[2].nmae" is not known and was ignored; "name" is']),
        envelope(fail=[{"errors": [{"code": "err_y", "message": "broken", "retryable": False}]}], status=500),
    )
    done = run(data, "domain/create-domain", json.dumps(items), MAILREEVE_URL="http://x.test")
    assert [len(sent(request)) for request in asked] == [500, 500, 201]
    assert done.exit_code == 1
    assert json.loads(done.stdout) == [{"id": "a"}, {"id": "b"}]
    assert done.stderr.splitlines() == [
        "items 1 to 500: 500 carried out",
        "items 501 to 1000: 499 carried out, 1 refused",
        "items 1001 to 1201: 0 carried out, 201 refused",
        'Warning: item 2: "nmae" is not known and was ignored; "name" is',
        'Warning: item 503: "nmae" is not known and was ignored; "name" is',
        "Error: item 701: no (err_x, HTTP status 200)",
        "Error: items 1001 to 1201: broken (err_y, HTTP status 500)",
    ]


def test_a_function_that_takes_fewer_items_is_sent_fewer(data, answering) -> None:
    """As many as its refusal names."""
    many = {"code": "err_data_too_many_items", "message": "Too many items in data: at most 2 are allowed"}
    asked = answering(
        envelope(fail=[{"errors": [many | {"retryable": False}]}], status=400), envelope({"id": "a"}), envelope()
    )
    done = run(data, "domain/create-domain", json.dumps(numbered(1, 2, 3)), MAILREEVE_URL="http://x.test")
    assert [sent(request) for request in asked[1:]] == [numbered(1, 2), numbered(3)]
    assert done.exit_code == 0


def test_where_no_other_batch_would_fare_better_none_is_sent(data, answering) -> None:
    """A server that is gone, or a caller who may not."""
    items = numbered(*range(1, 502))
    denied = {"errors": [{"code": "err_xdk_forbidden", "message": "no", "retryable": False}]}
    asked = answering(envelope(fail=[denied], status=403))
    done = run(data, "domain/create-domain", json.dumps(items), MAILREEVE_URL="http://x.test")
    assert (len(asked), done.exit_code, done.stdout) == (1, 1, "")
    assert "items 1 to 500: no (err_xdk_forbidden, HTTP status 403)" in done.stderr
    assert "items 501 to 501: not sent" in done.stderr
