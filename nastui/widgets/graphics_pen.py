"""Writing styled text with as few escape codes as it takes: only what differs from the text before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

_NULL = Style()
_SYSTEMS = {"truecolor": ColorSystem.TRUECOLOR, "256": ColorSystem.EIGHT_BIT, "standard": ColorSystem.STANDARD}
_ATTRIBUTES = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "21", "51", "52", "53")  # SGR codes by bit of Rich
_SEEN_ON_BLANKS = 0b1_1111_0100_1000  # underline, reverse, strike, double underline, frame, encircle, overline


class Pen:
    """Keeps track of the style that the terminal writes in; it starts and has to end with none."""

    def __init__(self, system: ColorSystem) -> None:
        self._system = system
        self._attributes = 0
        self._foreground = ""
        self._background = ""

    def write(self, segments: Iterable[Segment]) -> str:
        """The codes and texts of `segments`."""
        out: list[str] = []
        for text, style, _ in segments:
            if style is not None and style.link:
                out += (self.reset(), style.render(text, color_system=self._system))
            else:
                out += (self._select(style or _NULL, is_blank=text.isspace()), text)
        return "".join(out)

    def reset(self) -> str:
        """Back to no style."""
        if not (self._attributes or self._foreground or self._background):
            return ""
        self._attributes, self._foreground, self._background = 0, "", ""
        return "\x1b[0m"

    def _select(self, style: Style, *, is_blank: bool) -> str:
        attributes, foreground, background = _codes(style, self._system)
        if is_blank and not (attributes | self._attributes) & _SEEN_ON_BLANKS:
            attributes, foreground = self._attributes, self._foreground  # nobody sees a blank's
        if attributes != self._attributes:
            codes = ["0", *_attribute_codes(attributes), foreground, background]
        else:
            codes = []
            if foreground != self._foreground:
                codes.append(foreground or "39")
            if background != self._background:
                codes.append(background or "49")
        self._attributes, self._foreground, self._background = attributes, foreground, background
        codes = [code for code in codes if code]
        return f"\x1b[{';'.join(codes)}m" if codes else ""


@lru_cache(16384)
def _codes(style: Style, system: ColorSystem) -> tuple[int, str, str]:
    """The attribute bits of a style, and the codes of its two colours (empty for the terminal's own)."""
    front, back = style.color, style.bgcolor
    return (
        style._attributes & style._set_attributes,
        "" if front is None or front.is_default else ";".join(front.downgrade(system).get_ansi_codes()),
        "" if back is None or back.is_default else ";".join(back.downgrade(system).get_ansi_codes(foreground=False)),
    )


def _attribute_codes(attributes: int) -> list[str]:
    return [_ATTRIBUTES[bit] for bit in range(attributes.bit_length()) if attributes & (1 << bit)]


def page_codes(lines: Sequence[Sequence[Segment]], system: str) -> str:
    """What writes `lines` from the top of the screen on; `system` names the colours as $TEXTUAL_COLOR_SYSTEM does."""
    pen = Pen(_SYSTEMS[system])
    return "".join(f"\x1b[{y};1H{pen.write(line)}" for y, line in enumerate(lines, 1)) + pen.reset()
