"""The terminal that nastui runs in: asked once before the interface starts, described by one record.

Importing this package does nothing to the terminal and does not import Textual.
"""

from __future__ import annotations

from nastui.terminal.choose import decide
from nastui.terminal.record import COLOUR_CHOICES, IMAGE_CHOICES, ColourDepth, Images, Replies, Terminal

__all__ = ["COLOUR_CHOICES", "IMAGE_CHOICES", "ColourDepth", "Images", "Replies", "Terminal", "decide"]
