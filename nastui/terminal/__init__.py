"""The terminal that nastui runs in: asked once before the interface starts, described by one record.

Importing this package does nothing to the terminal and does not import Textual.
"""

from __future__ import annotations

from nastui.terminal.choose import decide
from nastui.terminal.doctor import describe_terminal
from nastui.terminal.record import COLOUR_CHOICES, IMAGE_CHOICES, Images, Replies, Terminal
from nastui.terminal.session import open_terminal, prepare_environment, require_terminal

__all__ = [
    "COLOUR_CHOICES",
    "IMAGE_CHOICES",
    "Images",
    "Replies",
    "Terminal",
    "decide",
    "describe_terminal",
    "open_terminal",
    "prepare_environment",
    "require_terminal",
]
