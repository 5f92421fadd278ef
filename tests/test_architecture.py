"""The shape of the code: sizes, names, and what may stand where. import-linter holds the levels."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import nastui

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = sorted((ROOT / "nastui").rglob("*.py"))
ALL_CODE = sorted(path for name in ("nastui", "tests", "tools", "benchmarks") for path in (ROOT / name).rglob("*.py"))

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "misc", "common", "stuff"}
SQL = re.compile(
    r"\bselect\b.+\bfrom\b|\binsert\s+(or\s+\w+\s+)?into\b|\bupdate\s+\w+\s+set\b|\bdelete\s+from\b"
    r"|\b(create|drop|alter)\s+(table|view|index|unique|trigger)\b|\bpragma\s+\w",
    re.IGNORECASE | re.DOTALL,
)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def outside(*names: str) -> list[Path]:
    """The package's files except those in a folder of such a name, or whose own name starts so."""
    return [
        path
        for path in PACKAGE
        if not path.stem.startswith(names) and not set(names) & set(path.relative_to(ROOT).parts[:-1])
    ]


def each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=relative)


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every string (also of bytes, also in f-strings) that is not a docstring, with its line."""
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in bare:
            if isinstance(node.value, str):
                yield node.lineno, node.value
            elif isinstance(node.value, bytes):
                yield node.lineno, node.value.decode("latin-1")


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The top-level package of every import, also of those inside functions, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module.partition(".")[0]


@each(ALL_CODE)
def test_files_and_functions_are_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES
    long = {
        node.name: (node.end_lineno or 0) - node.lineno + 1
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in long.items() if lines > MAX_FUNCTION_LINES} == {}


@each(PACKAGE)
def test_modules_have_names_that_say_what_is_inside(path: Path) -> None:
    assert VAGUE_NAMES.isdisjoint(path.relative_to(ROOT).with_suffix("").parts)


@each(outside("store"))
def test_sql_stands_in_the_store_alone(path: Path) -> None:
    assert [(line, text) for line, text in literals(parse(path)) if SQL.search(text)] == []
    assert [line for line, package in imported(parse(path)) if package in {"sqlite3", "sqlite_utils"}] == []


@each(outside("terminal", "graphics"))
def test_escape_codes_stand_with_the_terminal_alone(path: Path) -> None:
    assert [line for line, text in literals(parse(path)) if "\x1b" in text or "\x9b" in text] == []


@each(outside("engine"))
def test_torch_stands_in_the_engine_alone(path: Path) -> None:
    assert [line for line, package in imported(parse(path)) if package in {"torch", "torchvision"}] == []


@each([path for path in ALL_CODE if "tests" not in path.relative_to(ROOT).parts])
def test_only_tests_know_of_the_shared_folder(path: Path) -> None:
    assert "shared/" not in path.read_text(encoding="utf-8")


def test_the_version_is_the_newest_in_the_changelog() -> None:
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    declared = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert declared is not None
    assert nastui.__version__ == declared[1] == released[0]
