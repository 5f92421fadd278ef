"""How footprints are looked at: the settings that keys change while the app runs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nastui.limits import DEFAULT_RANGES, MAX_RANGES

ROW_HEIGHTS = (1, 2, 3, 4)
PITCHES = (4, 3, 2)
_USUAL_CLASS = 100  # images, in the thesis and by its usual command


@dataclass(frozen=True, slots=True)
class Look:
    """`ranges` is m. A bar is thin below `medium` images, medium below `full`, full from there on.

    `row_height` is the height of a bar in lines. `pitch` is the width of a range with its white space in
    characters, None where the width of the screen decides.
    """

    ranges: int = DEFAULT_RANGES
    medium: int = 4
    full: int = 12
    row_height: int = 3
    pitch: int | None = None

    def with_ranges(self, ranges: int) -> Look:
        """The look with m ranges, kept within 1 and MAX_RANGES."""
        return replace(self, ranges=min(max(ranges, 1), MAX_RANGES))

    def with_medium(self, medium: int) -> Look:
        """The look whose medium bars start at `medium` images; the full ones never start below them."""
        medium = max(medium, 2)
        return replace(self, medium=medium, full=max(self.full, medium + 1))

    def with_full(self, full: int) -> Look:
        """The look whose full bars start at `full` images; the medium ones never start above them."""
        full = max(full, 3)
        return replace(self, full=full, medium=min(self.medium, full - 1))

    def with_widths_for(self, images_per_class: float) -> Look:
        """The look whose thresholds are the default ones scaled: those are meant for 100 images per class."""
        default, scale = Look(), images_per_class / _USUAL_CLASS
        medium = max(round(default.medium * scale), 2)
        return replace(self, medium=medium, full=max(round(default.full * scale), medium + 1))

    def with_row_height(self, row_height: int) -> Look:
        """The look with rows of `row_height` lines, kept within 1 and 4."""
        return replace(self, row_height=min(max(row_height, ROW_HEIGHTS[0]), ROW_HEIGHTS[-1]))

    def with_next_pitch(self) -> Look:
        """The look with the next pitch of: as fits, 4, 3, 2."""
        order: tuple[int | None, ...] = (None, *PITCHES)
        return replace(self, pitch=order[(order.index(self.pitch) + 1) % len(order)])

    def width_words(self) -> tuple[str, str, str]:
        """The three widths in words, thin to full: 1–3, 4–11, 12+."""
        return _span(1, self.medium - 1), _span(self.medium, self.full - 1), f"{self.full}+"


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"
