"""What `make new-endpoint` and `make new-family` make passes the checks as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

MADE = [
    (
        ("endpoint", "policies/blocked_senders", "policy/blockedsenders/count-policies"),
        "policy_blockedsenders_count_policies",
    ),
    (("endpoint", "directory/users", "user/get-visitors"), "user_get_visitors"),
    (("family", "shelves"), "shelves_get_shelves"),
    (("family", "notices"), "notices_get_notices"),
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what a skeleton goes into, and of what checks it."""
    for name in ("src", "tests/unit/families", "docs", "tools"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run(checkout: Path, *command: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_skeletons_are_in_form_keep_to_the_layers_and_answer(checkout: Path) -> None:
    for arguments, _ in MADE:
        run(checkout, sys.executable, str(ROOT / "tools/new_code.py"), "--root", str(checkout), *arguments)
    run(checkout, str(BIN / "ruff"), "check", "src", "tests")
    run(checkout, str(BIN / "ruff"), "format", "--check", "src", "tests")
    run(checkout, str(BIN / "lint-imports"), "--no-cache")
    tests = [f"tests/unit/families/test_{name}.py" for _, name in MADE]
    run(checkout, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)


@pytest.mark.parametrize(
    "arguments",
    [
        ("endpoint", "no_such_family", "policy/one"),
        ("endpoint", "policies/blocked_senders", "policy/blockedsenders/get-policy"),
        ("endpoint", "policies/blocked_senders", "../elsewhere"),
        ("family", "delegates"),
        ("family", "Not A Name"),
    ],
)
def test_what_cannot_be_made_leaves_everything_as_it_was(checkout: Path, arguments: tuple[str, ...]) -> None:
    def contents() -> dict[Path, bytes]:
        return {file: file.read_bytes() for file in (checkout / "src").rglob("*.py")}

    before = contents()
    command = [sys.executable, str(ROOT / "tools/new_code.py"), "--root", str(checkout), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("tools/new_code.py: ")
    assert contents() == before
