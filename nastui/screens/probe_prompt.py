"""The line for an image that is to be shown to the model: its path, and a note."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nastui.errors import UsageError
from nastui.screens.prompt import Prompt
from nastui.screens.session import Session
from nastui.views.completion import Completion
from nastui.views.ink import DIM, STRONG, TEXT
from nastui.views.typed_probe import TypedProbe, complete_path
from nastui.widgets.paint import Paint

_KEYS = ("tab completes the path", "esc")
_FORM = "an image or a folder of images, and behind it a note"


class ProbePrompt(Prompt):
    """Takes the path of an image or a folder with a note, and gives them to `answer`."""

    def __init__(
        self,
        paint: Paint,
        session: Session,
        *,
        answer: Callable[[TypedProbe], Awaitable[None]],
        cancel: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(paint, session, "▸", "path of an image, and a note", cancel)
        self._take = answer

    def completion(self, text: str, cursor: int) -> Completion:
        return complete_path(text, cursor)

    def changed(self, text: str) -> None:
        if not text.strip():
            self.answer_with_keys(_FORM, DIM, _KEYS)
            return
        try:
            self.answer_with_keys(f"⏎ {TypedProbe.read(text).words}", TEXT, _KEYS)
        except UsageError as error:
            self.answer_with_keys(error.message, DIM, _KEYS)

    async def give(self) -> None:
        try:
            typed = TypedProbe.read(self.text)
        except UsageError as error:
            self.answer((error.message, STRONG), (error.hint, TEXT))
            return
        await self._take(typed)
