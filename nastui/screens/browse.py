"""What the screens have in common: a title line, help, and going up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from nastui.errors import NastuiError
from nastui.screens.child_job import ChildJob
from nastui.screens.session import Session
from nastui.views.job_words import job_pieces
from nastui.views.layer_page import title_pieces
from nastui.views.plain import printable
from nastui.widgets.key_line import KeyLine
from nastui.widgets.paint import Paint
from nastui.widgets.piece_lines import PieceLines
from nastui.widgets.row_list import RowList

SHORT = 20  # lines: below this images need the room of the white space and of what can be read elsewhere


class BrowseScreen(Screen[None], inherit_bindings=False):
    """A screen over one session: a title line above, the eight most used keys below, every key in `?`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Keys", key_display="?", tooltip="All keys of this screen"),
        Binding("R", "run_facts", "What the run was made of, with its sums", show=False),
        Binding("ctrl+c", "stop_job", "Stop what is being computed", show=False),
        Binding("q,escape", "leave", "Up", key_display="q", tooltip="Up, to where you came from"),
    ]

    SIGNS: ClassVar[Sequence[tuple[str, str]]] = ()  # on the screen, with what they mean

    class ReadFailed(Message):
        """The file could not be read; what was on the screen stays."""

        def __init__(self, error: NastuiError) -> None:
            super().__init__()
            self.error = error

    class JobWanted(Message):
        """The app is to have work done by a process of its own."""

        def __init__(self, job: ChildJob) -> None:
            super().__init__()
            self.job = job

    def __init__(self, session: Session, paint: Paint) -> None:
        super().__init__()
        self.session = session
        self.paint = paint
        self._heading = ("", "")
        self._notice = ""
        self._prefix = ""

    def compose(self) -> ComposeResult:
        yield PieceLines(self.paint, id="title")
        yield from self.compose_body()
        yield PieceLines(self.paint, id="job")
        yield KeyLine()

    def compose_body(self) -> ComposeResult:
        """The widgets between the title and the footer."""
        raise NotImplementedError

    def read_reviews(self) -> None:
        """Read, in a thread, what `reviews_changed` goes by."""

    def reviews_changed(self) -> None:
        """People have said something since: show it."""

    def probes_changed(self) -> None:
        """The run has other probes: show them."""

    @contextmanager
    def telling_failures(self) -> Iterator[None]:
        """In a worker: an error of the file is shown to the person, and ends the worker but not the app."""
        try:
            yield
        except NastuiError as error:
            self.post_message(self.ReadFailed(error))

    def on_browse_screen_read_failed(self, message: ReadFailed) -> None:
        self.tell(message.error)

    def tell(self, error: NastuiError) -> None:
        """Say what went wrong, and what to do."""
        self.notify("\n".join(printable(line) for line in str(error).splitlines()), severity="error", markup=False)

    def run_grew(self) -> None:
        """The session has read more of a run that is being written; show it."""

    def on_screen_resume(self) -> None:
        self.show_job()

    def show_job(self) -> None:
        """Say on a line of its own how far the work is that a process does; without any there is no such line."""
        job, line = self.session.job, self.query_one("#job", PieceLines)
        line.display = job is not None
        if job is not None:
            line.show([job_pieces(job.words, job.progress, is_stopped=job.is_stopped)])

    def job_ended(self, job: ChildJob) -> None:
        """The work is done, or was stopped; what it wrote is in the run."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """^c stops work while there is some, and else says how to quit, as Textual has it."""
        return action != "stop_job" or self.session.job is not None

    def action_stop_job(self) -> None:
        if self.session.job is not None:
            self.session.job.stop()
            self.show_job()

    def show_title(self, name: str, words: str) -> None:
        """What is looked at, and what is to be said of it."""
        self._heading = (name, words)
        self._show_title()

    def show_notice(self, notice: str) -> None:
        """Say what a key has done, in place of the title's words until the next key; nothing for an empty notice."""
        if notice != self._notice:
            self._notice = notice
            self._show_title()

    def _show_title(self) -> None:
        name, words = self._heading
        for line in self.query("#title").results(PieceLines):  # none on a screen that is being taken down
            line.show([title_pieces(name, self._notice or words, self._prefix)])

    def show_prefix(self, prefix: str) -> None:
        """Show the number that is being typed before a key."""
        if prefix != self._prefix:
            self._prefix = prefix
            self._show_title()

    def on_row_list_prefix_typed(self, message: RowList.PrefixTyped) -> None:
        self.show_prefix(message.prefix)

    def action_help(self) -> None:
        from nastui.screens.help import HelpScreen  # brings Rich's tables: not before it is wanted

        self.app.push_screen(HelpScreen(self))

    def action_run_facts(self) -> None:
        from nastui.screens.text_panel import TextPanel  # as above
        from nastui.views.run_facts import run_rows

        self.app.push_screen(TextPanel(run_rows(self.session.info, self.session.layers)))

    def action_leave(self) -> None:
        self.app.pop_screen()
