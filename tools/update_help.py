"""Put the real `--help` of each command into the documentation, where a block starts with `$ nastui … --help`.

Usage: python tools/update_help.py [--check]; with --check it only says which files are out of date, by status 1.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from click.testing import CliRunner

from nastui.cli import nastui

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```text\n\$ nastui (?P<words>[^\n]*--help)\n.*?^```$", re.MULTILINE | re.DOTALL)


def with_real_help(text: str) -> str:
    """`text` with every help block as the commands print it, 80 columns wide."""
    return BLOCK.sub(lambda match: _block(match["words"]), text)


def _block(words: str) -> str:
    done = CliRunner().invoke(nastui, words.split(), prog_name="nastui", terminal_width=80, catch_exceptions=False)
    return f"```text\n$ nastui {words}\n{done.stdout.rstrip()}\n```"


def main() -> int:
    outdated = []
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        if (real := with_real_help(text)) != text:
            outdated.append(path.relative_to(ROOT).as_posix())
            if "--check" not in sys.argv:
                path.write_text(real, encoding="utf-8")
    print("out of date:" if "--check" in sys.argv else "updated:", *outdated or ["nothing"])
    return int(bool(outdated) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
