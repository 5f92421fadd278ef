"""The shape of the code: sizes, names, and what may stand where. import-linter holds the levels."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

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


def faults(paths: list[Path], find: Callable[[Path], Sequence[object]]) -> dict[str, Sequence[object]]:
    """What is found in each of the files, by their names; those where nothing is are left out."""
    return {relative(path): found for path in paths if (found := find(path))}


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Code:
    """What rules ask of a file, each with its line. `literals`: strings, of bytes and in f-strings too, that are no
    docstrings. `packages`: the top level of every import, also of those inside functions. `functions`: with how many
    lines each has.
    """

    literals: list[tuple[int, str]]
    packages: list[tuple[int, str]]
    functions: list[tuple[str, int]]


@cache
def read(path: Path) -> Code:
    code = Code([], [], [])
    nodes = list(ast.walk(ast.parse(text_of(path))))
    bare = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and id(node) not in bare:
            if isinstance(node.value, str):
                code.literals.append((node.lineno, node.value))
            elif isinstance(node.value, bytes):
                code.literals.append((node.lineno, node.value.decode("latin-1")))
        elif isinstance(node, ast.Import):
            code.packages.extend((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            code.packages.append((node.lineno, node.module.partition(".")[0]))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            code.functions.append((node.name, (node.end_lineno or 0) - node.lineno + 1))
    return code


def imports_of(packages: set[str]) -> Callable[[Path], list[tuple[int, str]]]:
    return lambda path: [(line, package) for line, package in read(path).packages if package in packages]


def test_there_is_code_to_look_at() -> None:
    assert len(ALL_CODE) > len(PACKAGE) > len(outside("engine")) > 100


def test_files_and_functions_are_short_enough_to_read() -> None:
    def too_long(path: Path) -> list[tuple[str, int]]:
        return [(name, lines) for name, lines in read(path).functions if lines > MAX_FUNCTION_LINES]

    assert faults(ALL_CODE, too_long) == {}
    lines = {relative(path): len(text_of(path).splitlines()) for path in ALL_CODE}
    assert {name: count for name, count in lines.items() if count > MAX_FILE_LINES} == {}


def test_modules_have_names_that_say_what_is_inside() -> None:
    def vague(path: Path) -> list[str]:
        return sorted(VAGUE_NAMES.intersection(path.relative_to(ROOT).with_suffix("").parts))

    assert faults(PACKAGE, vague) == {}


def test_sql_stands_in_the_store_alone() -> None:
    paths = outside("store")
    assert faults(paths, lambda path: [found for found in read(path).literals if SQL.search(found[1])]) == {}
    assert faults(paths, imports_of({"sqlite3", "sqlite_utils"})) == {}


def test_escape_codes_stand_with_the_terminal_alone() -> None:
    paths = outside("terminal", "graphics")
    assert faults(paths, lambda path: [found for found in read(path).literals if set("\x1b\x9b") & set(found[1])]) == {}


def test_torch_stands_in_the_engine_alone() -> None:
    assert faults(outside("engine"), imports_of({"torch", "torchvision"})) == {}


def test_only_tests_know_of_the_shared_folder() -> None:
    paths = [path for path in ALL_CODE if "tests" not in path.relative_to(ROOT).parts]
    assert [relative(path) for path in paths if "shared/" in text_of(path)] == []


def test_the_version_is_the_newest_in_the_changelog() -> None:
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    declared = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert declared is not None
    assert nastui.__version__ == declared[1] == released[0]
