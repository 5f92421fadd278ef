"""The probes on the neuron screen: marked in its ranges, listed, and as pictures beside the images of their range."""

from __future__ import annotations

from textual import work
from textual.app import ComposeResult
from textual.events import Click
from textual.message import Message
from textual.worker import get_current_worker

from nastui.probe_records import ProbeInfo, ProbeValues
from nastui.screens.browse import SHORT
from nastui.screens.probe_keys import ProbeKeys
from nastui.views.grid import GAP, MARGIN, TileSize
from nastui.views.probe_lines import probe_lines, probe_tile
from nastui.views.probe_marks import UnitProbes
from nastui.views.unit_view import Shown
from nastui.widgets.image_grid import ImageGrid
from nastui.widgets.piece_lines import PieceLines

_FEW = 24  # lines: up to here there is room for one probe in words, then for one more with each two lines
_MOST_LINES = 5


class ProbeGrid(ImageGrid):
    """Probes as pictures. No key and no click leads through them."""

    def on_mount(self) -> None:
        self.has_cursor = False

    def on_click(self, event: Click) -> None:
        event.prevent_default()

    def make_room(self, n_probes: int, width: int, height: int) -> None:
        """Be as wide as so many pictures need in `height` lines, up to `width` cells."""
        size = TileSize.MEDIUM if height >= TileSize.MEDIUM.value[1] else TileSize.SMALL
        tile_width, tile_height = size.value[0] + GAP, size.value[1]
        columns = -(-n_probes // max(height // tile_height, 1))
        self.styles.width = min(columns, max(width // tile_width, 1)) * tile_width + 2 * MARGIN
        if size is not self.tile_size:
            self.tile_size = size


class UnitProbing(ProbeKeys):
    """A screen on one unit, `shown_unit`, which stands at a range of it."""

    class ThumbnailsRead(Message):
        """The pictures of probes have come from the file, by their sums."""

        def __init__(self, thumbnails: dict[str, bytes]) -> None:
            super().__init__()
            self.thumbnails = thumbnails

    _found: tuple[Shown, ProbeValues, UnitProbes] | None = None
    _thumbnails: dict[str, bytes] | None = None

    @property
    def shown_unit(self) -> Shown | None:
        """The unit that is seen, with its ranges."""
        raise NotImplementedError

    def compose_probes(self) -> ComposeResult:
        yield PieceLines(self.paint, id="probes")

    @property
    def unit_probes(self) -> UnitProbes | None:
        """Where the probes fall in the unit; None where nothing is to be marked, or it is not known yet."""
        shown, values = self.shown_unit, self.probe_values
        if shown is None or values is None or shown.place.layer.basis_id != self.probed_layer.basis_id:
            return None
        known = self._found
        if known is None or known[0] is not shown or known[1] is not values:
            view = shown.view
            found = UnitProbes.find(
                values.probes,
                values.values[:, shown.place.unit],
                view.values[view.is_ok],
                view.footprints.edges[0],
                view.n_ranges,
            )
            known = self._found = shown, values, found
        return known[2]

    def show_unit_probes(self, stop: int) -> None:
        """List them, and show those that fall into the range `stop` as pictures."""
        probes, lines, grid = self.unit_probes, self.query_one("#probes", PieceLines), self.query_one(ProbeGrid)
        height = self.size.height
        n_lines = min(max((height - _FEW) // 2, 1), _MOST_LINES) if height >= SHORT else 0
        lines.display = probes is not None and n_lines > 0
        if probes is not None:
            lines.show(probe_lines(probes, stop, n_lines, self.size.width))
        here = [] if probes is None else probes.numbers_at(stop)
        grid.display = bool(here)
        if probes is None or not here:
            return
        grid.make_room(len(here), self.size.width // 2, self.query_one("#image-row").size.height)
        known = self._thumbnails or {}
        wanted = [probes.probes[place] for place in here]
        if any(probe.sha256 not in known for probe in wanted):
            self.read_thumbnails(probes.probes)
        else:
            grid.show([probe_tile(probes, place, known.get(probes.probes[place].sha256)) for place in here])

    @work(thread=True, exclusive=True, group="probe-thumbnails")
    def read_thumbnails(self, probes: tuple[ProbeInfo, ...]) -> None:
        with self.telling_failures():
            found = self.session.run.probe_thumbnails([probe.id for probe in probes])
            thumbnails = {probe.sha256: found.get(probe.id, b"") for probe in probes}
            if not get_current_worker().is_cancelled:
                self.post_message(self.ThumbnailsRead(thumbnails))

    def on_unit_probing_thumbnails_read(self, message: ThumbnailsRead) -> None:
        self._thumbnails = message.thumbnails
        self.show_probes()
