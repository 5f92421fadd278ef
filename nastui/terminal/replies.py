"""The questions put to a terminal, how its answers are read, and how an answer is told from a key."""

from __future__ import annotations

import re

from nastui.terminal.record import Replies

ESC = "\x1b"
ST = "\x1b\\"

_NAME = "\x1b[>0q"  # XTVERSION
_KITTY = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"  # may I send a picture of one pixel?
_CELL = "\x1b[16t"
_SIXEL_LIMIT = "\x1b[?2;4;0S"  # xterm: the largest picture it takes
_COLOUR = "\x1b[38;2;1;2;3m\x1bP$qm\x1b\\\x1b[0m"  # DECRQSS: what is the colour that I just set?
_ATTRIBUTES = "\x1b[c"  # DA1: every terminal answers it, so its answer is the last to come
_STATUS = "\x1b[5n"

QUESTIONS = _NAME + _KITTY + _CELL + _SIXEL_LIMIT + _COLOUR + _ATTRIBUTES
OUTER_QUESTIONS = _NAME + _KITTY + _STATUS  # through tmux; tmux itself is never asked for its status

_DA1 = re.compile(r"\x1b\[\?([\d;]*)c")
_XTVERSION = re.compile(r"\x1bP>\|([^\x1b\x07]*)\x1b\\")
_KITTY_OK = re.compile(r"\x1b_Gi=31;OK\x1b\\")
_CELL_SIZE = re.compile(r"\x1b\[6;(\d+);(\d+)t")
_LIMIT = re.compile(r"\x1b\[\?2;0;(\d+);(\d+)S")
_SGR = re.compile(r"\x1bP1\$r[\d;:]*38[;:]2[;:](?:\d*:)?1[;:]2[;:]3[\d;:]*m\x1b\\")
_STATUS_OK = re.compile(r"\x1b\[0n")

# What only a terminal says, and no key: in full, and as much of it as may have come so far.
REPLY = re.compile(
    r"""\x1b\[\?[\d;]*[cnuS] | \x1b\[[>=][\d;]*c | \x1b\[[468];\d+;\d+t | \x1b\[0n
      | \x1bP(?:>\||[01]\$r|[01]\+r|!\|)[^\x1b\x07]*(?:\x1b\\|\x07)
      | \x1b_G[^\x1b]*\x1b\\
      | \x1b\]\d+;[^\x07\x1b]*(?:\x07|\x1b\\)""",
    re.VERBOSE,
)
_BEGINNING = re.compile(
    r"""\x1b(?: \[(?: \?[\d;]* | [>=][\d;]* | [468](?:;\d*){0,2} | 0 )?
      | P(?: (?:>|[01]|[01][$+]|!)? | (?:>\||[01]\$r|[01]\+r|!\|)[^\x1b\x07]*\x1b? )
      | _(?: G[^\x1b]*\x1b? )?
      | \](?: \d+ (?: ;[^\x07\x1b]*\x1b? )? )?
    )?\Z""",
    re.VERBOSE,
)
_MAY_BE_A_KEY = re.compile(r"\x1b[\[P_\]]?\Z")  # Escape or Alt with a character, unless more comes
_KEY_WAIT = 0.1  # seconds
_REPLY_WAIT = 2.0
_LONGEST = 4096


def parse_replies(text: str) -> Replies:
    """Read what came back from QUESTIONS; everything else in `text` is skipped."""
    attributes = _DA1.search(text)
    name = _XTVERSION.search(text)
    cell = _CELL_SIZE.search(text)
    limit = _LIMIT.search(text)
    return Replies(
        attributes=tuple(int(part) for part in attributes[1].split(";") if part) if attributes else None,
        version=name[1] if name else "",
        kitty=_KITTY_OK.search(text) is not None,
        cell=(int(cell[2]), int(cell[1])) if cell else None,
        sixel_limit=(int(limit[1]), int(limit[2])) if limit else None,
        keeps_truecolor=_SGR.search(text) is not None,
    )


def is_complete(text: str) -> bool:
    """Whether the last answer to QUESTIONS has come."""
    return _DA1.search(text) is not None


def is_outer_complete(text: str) -> bool:
    """Whether the last answer to OUTER_QUESTIONS has come."""
    return _STATUS_OK.search(text) is not None


def through_tmux(codes: str) -> str:
    """`codes` wrapped so that tmux hands them to the terminal outside (where allow-passthrough is on)."""
    return f"{ESC}Ptmux;{codes.replace(ESC, ESC + ESC)}{ST}"


class ReplyFilter:
    """Takes the terminal's answers out of the input, also late ones and such as come in pieces: they are no keys."""

    def __init__(self) -> None:
        self._held = ""
        self._since = 0.0

    def feed(self, text: str, now: float) -> str:
        """The keys in `text`. What may be the beginning of an answer is held back; `now` in seconds."""
        text = REPLY.sub("", self._held + text)
        beginning = _BEGINNING.search(text)
        if beginning is None or len(beginning[0]) > _LONGEST:
            self._held = ""
            return text
        self._held, self._since = beginning[0], now
        return text[: beginning.start()]

    def expire(self, now: float) -> str:
        """What was held back too long to be an answer: keys after all. A broken-off answer is dropped."""
        held = self._held
        may_be_a_key = _MAY_BE_A_KEY.match(held) is not None
        if not held or now - self._since < (_KEY_WAIT if may_be_a_key else _REPLY_WAIT):
            return ""
        self._held = ""
        return held if may_be_a_key else ""
