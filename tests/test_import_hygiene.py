"""What is imported when: a run opens in a blink only as long as torch stays out of the viewer."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOADED = "; import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"


def modules_after(code: str) -> set[str]:
    """The top-level packages that a fresh process has imported after `code`; nastui's own output is dropped."""
    done = subprocess.run([sys.executable, "-c", code + LOADED], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "module", ["nastui.app", "nastui.first_look", "nastui.cli", "nastui.store.reader", "nastui.listings"]
)
def test_looking_at_a_run_never_imports_torch(module: str) -> None:
    assert modules_after(f"import {module}").isdisjoint({"torch", "torchvision", "sklearn", "scipy", "pandas"})


def test_the_first_page_of_a_layer_needs_no_textual() -> None:
    assert modules_after("import nastui.first_look").isdisjoint({"textual", "PIL"})


@pytest.mark.parametrize("arguments", [["--help"], ["scan", "--help"], ["--version"]])
def test_help_comes_at_once_because_nothing_heavy_is_imported(arguments: list[str]) -> None:
    loaded = modules_after(f"from nastui.cli import execute; execute({arguments!r})")
    assert loaded.isdisjoint({"torch", "torchvision", "sklearn", "numpy", "textual", "rich", "sqlite_utils", "PIL"})


def test_importing_nastui_imports_nothing_else() -> None:
    assert modules_after("import nastui").isdisjoint({"torch", "numpy", "textual", "click", "PIL"})
