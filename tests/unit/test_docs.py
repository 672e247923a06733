"""The documentation says what the code says: links lead somewhere, and nothing declared goes unmentioned."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

import mailreeve.families
import mailreeve.mail
import mailreeve.wire
from mailreeve.app.settings import Settings
from mailreeve.families.registry import ENDPOINTS
from mailreeve.policy.decide import replies
from mailreeve.policy.model.policy_types import POLICY_TYPES, SmtpReply
from mailreeve.wire.errors import Fault

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<(?:img|source)[^>]*\bsrc(?:set)?=\"([^\"]+)\"")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
DECISION_NUMBER = re.compile(r"\bD-\d\d\b")


def prose(page: Path) -> str:
    """The text of a page without its code blocks."""
    return FENCE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors that the headings of a page get where it is shown."""
    plain = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in HEADING.findall(prose(page)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def script(name: str) -> ModuleType:
    """A program of docs/."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """Every module of a package and of those inside it."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def fixed_replies() -> Iterator[tuple[str, SmtpReply]]:
    """Every reply that is a constant of the policy engine or of a mail door, or stands in a policy type's row."""
    for row in POLICY_TYPES.values():
        for name, value in ({} if row.refusals is None else msgspec.structs.asdict(row.refusals)).items():
            yield f"{row.type}.{name}", value
    for module in (replies, *modules(mailreeve.mail)):
        for name, value in vars(module).items():
            if isinstance(value, SmtpReply):
                yield f"{module.__name__}.{name}", value


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_to_files_and_headings(page: Path) -> None:
    """A reader who follows a link inside the repository arrives, at the very heading if one is named."""
    broken = []
    for match in LINK.finditer(prose(page)):
        target = match[1] or match[2]
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(target)
    assert not broken


def test_every_page_can_be_reached_from_the_readme() -> None:
    """No page of docs/ is orphaned: whoever starts at the README finds it by following links."""
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        for match in LINK.finditer(prose(page)):
            target = (match[1] or match[2]).partition("#")[0]
            if target and not re.match(r"[a-z]+:", target):
                waiting.append((page.parent / target).resolve())
    assert set(DOCS.rglob("*.md")) <= reached


def test_generated_pages_are_up_to_date() -> None:
    """The reference pages are what docs/generate.py makes of the code as it is."""
    pages: dict[Path, str] = script("generate").pages()
    stale = [path.name for path, text in pages.items() if not path.is_file() or path.read_text("utf-8") != text]
    assert not stale, "run docs/generate.py"


def test_the_picture_of_the_house_is_up_to_date() -> None:
    """docs/house.svg is what docs/draw_house.py makes of the code as it is."""
    drawn = script("draw_house")
    assert drawn.PICTURE.read_text("utf-8") == drawn.picture(), "run make house"


def test_every_setting_is_documented_with_its_default() -> None:
    """docs/settings.md has one row for each setting, with the default that the code has, and no other rows."""
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", (DOCS / "settings.md").read_text("utf-8"), re.MULTILINE))
    expected = {}
    for field in msgspec.structs.fields(Settings):
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        text = default if isinstance(default, str) else str(default).replace("'", '"')
        expected[field.encode_name] = f"`{text}`" if text else "empty"
    assert rows == expected


def test_every_error_code_is_documented() -> None:
    """docs/reference/errors.md names every code of the catalogue."""
    text = (DOCS / "reference" / "errors.md").read_text("utf-8")
    every = (*modules(mailreeve.wire), *modules(mailreeve.families))
    codes = {value.code for module in every for value in vars(module).values() if isinstance(value, Fault)}
    assert len(codes) > 40
    assert {code for code in codes if f"`{code}`" not in text} == set()


def test_every_endpoint_is_documented() -> None:
    """docs/reference/api.md has a section for every declared endpoint."""
    found = anchors(DOCS / "reference" / "api.md")
    paths = [endpoint.path for endpoint in ENDPOINTS]
    assert paths
    assert [p for p in paths if f"post-api{p}".replace("/", "") not in found] == []


def test_every_smtp_reply_is_documented() -> None:
    """docs/reference/smtp-replies.md quotes every fixed reply of the policy engine and the mail door."""
    text = (DOCS / "reference" / "smtp-replies.md").read_text("utf-8")
    found = dict(fixed_replies())
    assert found
    assert {name for name, reply in found.items() if str(reply) not in text} == set()


def test_every_rule_that_the_code_cites_is_documented() -> None:
    """docs/reference/rules.md explains each decision number that a comment in src/ refers to."""
    cited = {
        number
        for file in (ROOT / "src").rglob("*.py")
        for number in DECISION_NUMBER.findall(file.read_text("utf-8"))
    }
    rows = re.findall(r"^\| (D-\d\d) \|", (DOCS / "reference" / "rules.md").read_text("utf-8"), re.MULTILINE)
    assert cited
    assert cited - set(rows) == set()
    assert len(rows) == len(set(rows))
