"""The documentation says what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nastui import errors
from nastui.cli import nastui

ROOT = Path(__file__).resolve().parents[1]
CLI_PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def error_classes(root: type[errors.NastuiError]) -> Iterator[type[errors.NastuiError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from error_classes(kind)


def test_help_in_the_documentation_is_the_real_one() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "update_help.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}: run python tools/update_help.py"


@pytest.mark.parametrize("command", sorted(nastui.commands))
def test_every_command_has_its_help_on_the_page(command: str) -> None:
    assert f"$ nastui {command} --help" in CLI_PAGE


@pytest.mark.parametrize("kind", error_classes(errors.NastuiError), ids=lambda kind: kind.__name__)
def test_every_error_stands_beside_its_exit_status(kind: type[errors.NastuiError]) -> None:
    row = next(line for line in CLI_PAGE.splitlines() if f"`{kind.__name__}`" in line)
    assert row.startswith(f"| {kind.exit_code} |")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
