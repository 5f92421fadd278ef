"""The keys for probes: show the model an image of one's own, and mark in footprints where it falls, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.worker import get_current_worker

from nastui.probe_records import ProbeValues
from nastui.records import LayerInfo
from nastui.screens.asking import AskingScreen
from nastui.screens.child_job import ChildJob
from nastui.screens.job_starting import JobStarting
from nastui.views.plain import printable

if TYPE_CHECKING:
    from nastui.views.typed_probe import TypedProbe

_NONE = "this run has no probes yet: I shows the model an image of yours"


class ProbeKeys(AskingScreen, JobStarting):
    """A screen over one layer, along a basis, that marks where probes fall."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("I", "probe", "Image of your own: show it to the model as a probe", show=False),
        Binding("W", "where", "Where probes fall: marked, or not", show=False),
    ]

    SIGNS: ClassVar[Sequence[tuple[str, str]]] = (
        ("1  2  …  <  >", "Where probes fall; outside of < or >: below the lowest value, above the highest"),
    )

    class ProbesRead(Message):
        """What the units of a layer give the probes has come from the file."""

        def __init__(self, layer: LayerInfo, found: ProbeValues) -> None:
            super().__init__()
            self.layer = layer
            self.found = found

    _probe_values: tuple[LayerInfo, ProbeValues] | None = None

    @property
    def probed_layer(self) -> LayerInfo:
        """The layer whose probes are wanted."""
        return self.session.layer

    def take_count(self) -> int | None:
        """The count typed before the key."""
        raise NotImplementedError

    def show_probes(self) -> None:
        """Show the marks of `probe_values`, or none."""
        raise NotImplementedError

    @property
    def probe_values(self) -> ProbeValues | None:
        """What is to be marked in the layer; None where there is nothing, it is not known yet, or nobody wants it."""
        known = self._probe_values
        if known is None or not self.session.shows_probes:
            return None
        is_current = known[0].basis_id == self.probed_layer.basis_id and known[1].probes == self.session.probes
        return known[1] if is_current else None

    def look_for_probes(self) -> None:
        """Show what is known of the layer's probes, and read what is not. Without probes nothing is read."""
        if self.session.probes and self.session.shows_probes and self.probe_values is None:
            self.read_probes(self.probed_layer)
        self.show_probes()

    @work(thread=True, exclusive=True, group="probes")
    def read_probes(self, layer: LayerInfo) -> None:
        with self.telling_failures():
            run = self.session.run
            probes, values = run.probes(), run.probe_values(layer)
            if len(probes) == len(values) and not get_current_worker().is_cancelled:  # else one came in between
                self.post_message(self.ProbesRead(layer, ProbeValues(probes, values)))

    def on_probe_keys_probes_read(self, message: ProbesRead) -> None:
        self._probe_values = message.layer, message.found
        self.show_probes()

    def probes_changed(self) -> None:
        self.look_for_probes()

    # ---- keys -----------------------------------------------------------------------------

    async def action_probe(self) -> None:
        from nastui.screens.probe_prompt import ProbePrompt  # brings Textual's Input: not before it is wanted

        self.take_count()

        async def answer(typed: TypedProbe) -> None:
            await self.end_question()
            words = f"probing {printable(typed.path.name)}"
            done = f"{printable(typed.path.name)} is marked where it falls: W takes the marks away"
            self.session.shows_probes = True
            self.start_job(ChildJob(words, done, typed.arguments(self.session.info.path)))

        prompt = ProbePrompt(self.paint, self.session, answer=answer, cancel=self.end_question)
        await self.ask(prompt, prompt.input)

    def action_where(self) -> None:
        self.take_count()
        session = self.session
        if not session.probes:
            self.show_notice(_NONE)
            return
        session.shows_probes = not session.shows_probes
        self.look_for_probes()
        n_probes = f"{len(session.probes)} probe{'s' if len(session.probes) > 1 else ''}"
        self.show_notice(f"{n_probes} marked" if session.shows_probes else f"{n_probes} not marked: W marks them")
