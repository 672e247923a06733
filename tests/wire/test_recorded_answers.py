"""The answers of the program are the recorded ones, byte for byte but for ids, tokens and times.

`RECORD=1 pytest tests/wire/test_recorded_answers.py` records anew; the difference is then there to be reviewed.
Scenes and the driver are in `recording/`, and know nothing of the inside: HTTP, SMTP and the command line only.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from recorder import Recorder, written
from scenes import AREAS, SETTINGS, Area

RECORDED = Path(__file__).with_name("recorded")
ERRORS = Path(__file__).parents[2] / "docs/reference/errors.md"
RECORD = os.environ.get("RECORD") == "1"
UNREACHED = {
    "err_idempotency_too_many_keys": "ten thousand calls",
    "err_request_timeout": "a body that takes a minute",
    "err_busy": "two calls at once",
    "err_login_busy": "many sign-ins at once",
    "err_internal": "we would have to break",
    "err_archive_unreadable": "a body that is damaged",
    "token_expired": "a token lives for half an hour",
    "err_address_alteration_set_not_found": "no call removes a set",
    "err_directory_shrank": "a directory that answers",
    "err_domain_pending_limit": "a hundred domains",
    "err_user_import_limit": "five imports, none of which is taken over meanwhile",
    "err_attribute_limit": "a thousand calls",
    "err_folder_limit": "thousands of calls",
    "err_key_limit": "a thousand applications",
    "err_role_limit": "a hundred roles",
    "err_address_alteration_set_limit": "thousands of calls",
    "err_managed_url_limit": "thousands of calls",
    "err_web_allow_limit": "thousands of calls",
    "err_web_client_limit": "thousands of calls",
    "err_web_location_limit": "thousands of calls",
    "err_web_proxy_limit": "thousands of calls",
    "err_web_list_ambiguous": "an import into one of two lists of one name",
    "err_web_record_not_found": "a record that is forgotten: another id is none of this kind",
}
"""Codes of the catalogue that no recording has, and what it would take."""

UNANSWERED = {
    "/api/account/get-dashboard-notifications": "there is nobody who gives notices",
    "/api/audit/get-siem-logs": "files that are named after the time",
    "/api/ext/preview-directory-sync": "a directory that answers, as in tests/system/test_directory_sync.py",
}
"""Endpoints of which only refusals are recorded, and what it would take."""


@pytest.fixture(scope="module")
def recordings(
    request: pytest.FixtureRequest,
    new_folder: Callable,
    shared_folder: tuple,
    live_server_class: Callable,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Future[dict]]]:
    """The recordings of the areas that this run asks for, two at a time: each has a server of its own."""

    def play(area: Area, folder: Path) -> dict:
        if area.accounts == 1:
            data, credentials = new_folder(folder)
            keys = {"admin": credentials}
        else:
            template, credentials, members = shared_folder
            data = folder / "data"
            shutil.copytree(template, data)
            keys = {"admin": credentials, "foreign": members["foreign"], "expired": members["expired"]}
            keys |= {role.name.lower() if role else "no_role": of for role, of in members["roles"].items()}
        live = live_server_class(data, credentials, folder / "maildir", environment=SETTINGS | area.settings)
        live.start()
        recorder = Recorder(live, keys)
        try:
            area.play(recorder)
        finally:
            live.stop()
        recorder.log()
        return recorder.recording()

    wanted = [
        item.callspec.params["name"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.function is test_answers_are_as_recorded
    ]
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(play, AREAS[name], tmp_path_factory.mktemp(name)) for name in wanted}


@pytest.mark.parametrize("name", AREAS)
def test_answers_are_as_recorded(recordings, name):
    found = written(recordings[name].result()) + "\n"
    file = RECORDED / f"{name}.json"
    if RECORD:
        file.write_text(found, "utf-8")
    # As lines, so that the report of a failure shows those that differ.
    assert found.splitlines() == file.read_text("utf-8").splitlines()


def recorded_steps() -> list[dict]:
    return [step for name in AREAS for step in json.loads((RECORDED / f"{name}.json").read_text("utf-8"))["steps"]]


def test_every_endpoint_is_recorded(server):
    """Each path that the server publishes has an answer with data and one with a refused item."""
    good, bad = set(), set()
    for step in recorded_steps():
        answer = step.get("answer")
        if isinstance(answer, dict) and "meta" in answer:
            path = step["request"].removeprefix("POST ")
            if answer["data"]:
                good.add(path)
            if answer["fail"]:
                bad.add(path)
        elif step.get("status") == 200 and "request" in step:  # the thing itself, and no envelope
            good.add(step["request"].removeprefix("POST "))
    published = {p for p in server.request("GET", "/openapi.json").json()["paths"] if p.startswith("/api/")}
    assert published - good == UNANSWERED.keys()
    assert published - bad == set()


def test_every_error_is_recorded():
    """Each code of the catalogue is in a recording, or it is said why not."""
    catalogue = set(re.findall(r"^\| `(\w+)` \|", ERRORS.read_text("utf-8"), re.MULTILINE))
    recorded = set(re.findall(r"\b[a-z]\w+\b", json.dumps([step.get("answer") for step in recorded_steps()])))
    assert catalogue - recorded == set(UNREACHED)


def test_no_other_recordings_lie_about():
    assert {file.stem for file in RECORDED.glob("*.json")} == set(AREAS)
