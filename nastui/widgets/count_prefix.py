"""The number typed before a key, as in vim: 20j, 300G, gg."""

from __future__ import annotations

_LONGEST = 7


class CountPrefix:
    """Collects digits, and a first `g`, until a key uses them up."""

    def __init__(self) -> None:
        self.text = ""

    def feed(self, key: str) -> bool:
        """Take a key if it belongs to a prefix; escape drops one that waits. Returns whether the key was taken."""
        if key.isdecimal() and (key != "0" or self.text):
            self.text = (self.text.removesuffix("g") + key)[-_LONGEST:]
            return True
        if key == "escape" and self.text:
            self.text = ""
            return True
        return False

    def take_g(self) -> bool:
        """Take a `g`: True when it is the second one, and the prefix is then still there to be taken."""
        if self.text.endswith("g"):
            return True
        self.text += "g"
        return False

    def take(self) -> int | None:
        """The number typed, which uses the prefix up; None where there was none."""
        digits = self.text.removesuffix("g")
        self.text = ""
        return int(digits) if digits else None
