"""What trials have found out, kept in the user's cache folder: the same scan is then computed in the same way again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

_MOST = 500  # the oldest are forgotten
_NAME = "trials.json"


class TrialCache:
    """Texts by key in one small JSON file. Where it is damaged, or cannot be read or written, nothing is known."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME

    def get(self, key: str) -> str | None:
        """What was kept under this key, None where nothing was."""
        return self._read().get(key)

    def put(self, key: str, text: str) -> None:
        """Keep `text` as the newest."""
        kept = {other: known for other, known in self._read().items() if other != key} | {key: text}
        draft = self._path.with_name(f".{_NAME}.{os.getpid()}.new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(dict(list(kept.items())[-_MOST:]), indent=1))
            draft.replace(self._path)
        except OSError:
            return

    def _read(self) -> Mapping[str, str]:
        try:
            found = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {key: text for key, text in found.items() if isinstance(text, str)}
