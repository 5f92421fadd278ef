"""The app's part of long work: one process at a time, of which every screen says how far it is."""

from __future__ import annotations

from typing import TypeVar

from nastui.errors import NastuiError
from nastui.screens.browse import BrowseScreen
from nastui.screens.child_job import ChildJob
from nastui.screens.session import Session
from nastui.views.plain import printable
from nastui.widgets.graphics_app import GraphicsApp

Result = TypeVar("Result")
_SHOW_EVERY = 0.5  # seconds: progress is bytes over ssh


class JobApp(GraphicsApp[Result]):
    """An app whose screens have work done by a process of its own, which ends with the app."""

    session: Session

    def on_browse_screen_job_wanted(self, message: BrowseScreen.JobWanted) -> None:
        self.session.job = message.job
        self._show_job()
        self.run_worker(self._run_job(message.job), group="job")

    async def _run_job(self, job: ChildJob) -> None:
        error: NastuiError | None = None
        watching = self.set_interval(_SHOW_EVERY, self._show_job)
        try:
            await job.run()
        except NastuiError as failure:
            error = failure
        except OSError as failure:
            error = NastuiError(f"Python could not be started: {failure.strerror}.")
        watching.stop()
        self.session.job = None
        self._read_again()
        screens = self._screens()
        for screen in screens:
            screen.run_grew()
            screen.probes_changed()
            screen.show_job()
        if error is not None:
            screens[-1].tell(error)
            return
        screens[-1].show_notice(_closing_words(job))
        for screen in screens:
            screen.job_ended(job)

    def _read_again(self) -> None:
        try:
            self.session.read_again()
        except NastuiError:
            return  # the next read of a screen says it

    def _show_job(self) -> None:
        for screen in self._screens():
            screen.show_job()

    def _screens(self) -> list[BrowseScreen]:
        """Those that can show something: not one that is being opened, which reads everything then."""
        return [screen for screen in self.screen_stack if isinstance(screen, BrowseScreen) and screen.is_mounted]


def _closing_words(job: ChildJob) -> str:
    if job.is_stopped:
        return f"stopped: {job.words}"
    return f"{job.done_words} · {printable(job.last_words)}" if job.last_words else job.done_words
