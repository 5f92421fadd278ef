"""Where a run has more classes than there are colours: those that a layer is most selective for get them."""

from __future__ import annotations

import numpy as np
from textual import work
from textual.message import Message
from textual.worker import get_current_worker

from nastui.records import LayerInfo
from nastui.screens.look_screen import LookScreen
from nastui.views.class_choice import owned_top
from nastui.views.classes import MAX_SLOTS
from nastui.widgets.footprint_list import BLOCK

_BLOCKS_LOOKED_AT = 16  # 1,024 units, spread over the layer


class InterestFinding(LookScreen):
    """A screen over one layer, `shown_layer`."""

    class InterestFound(Message):
        """The classes that a layer is most selective for."""

        def __init__(self, layer: LayerInfo, interest: tuple[int, ...]) -> None:
            super().__init__()
            self.layer = layer
            self.interest = interest

    shown_layer: LayerInfo

    @work(thread=True, exclusive=True, group="interest")
    def find_interest(self, layer: LayerInfo) -> None:
        """Look for those that own the highest values of the units."""
        session, worker = self.session, get_current_worker()
        sizes = np.array([c.n_images for c in session.classes], dtype=np.int64)
        score = np.zeros(len(sizes))
        blocks = range(0, layer.n_units, BLOCK)
        with self.telling_failures():
            for first in blocks[:: max(len(blocks) // _BLOCKS_LOOKED_AT, 1)]:
                if worker.is_cancelled:
                    return
                score = np.maximum(score, owned_top(session.run.footprints(layer, first, BLOCK), sizes))
            best = np.argsort(-score, kind="stable")[:MAX_SLOTS]
            self.post_message(self.InterestFound(layer, tuple(int(class_id) for class_id in best)))

    def on_interest_finding_interest_found(self, message: InterestFound) -> None:
        session = self.session
        if message.layer.basis_id != self.shown_layer.basis_id or session.is_interest_chosen:
            return
        focus = session.slots.focus
        kept = () if focus is None or focus in message.interest else (focus,)
        session.slots = session.slots.with_interest([*kept, *message.interest])
        self.look_changed()
        if isinstance(self.app.screen, LookScreen) and self.app.screen is not self:
            self.app.screen.look_changed()
