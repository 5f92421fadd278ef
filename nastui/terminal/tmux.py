"""What tmux says of itself, where it runs on this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

_PATIENCE = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class TmuxState:
    """Whether tmux passes escape codes on, and the features of the terminal it is shown in."""

    passes: bool
    features: frozenset[str]


def ask_tmux(environ: Mapping[str, str]) -> TmuxState | None:
    """Ask the tmux that $TMUX names; None where there is none, or it does not answer."""
    pane = environ.get("TMUX_PANE", "")
    if not environ.get("TMUX"):
        return None
    target = ["-t", pane] if pane else []
    passthrough = _answer(["tmux", "show-options", "-Apv", *target, "allow-passthrough"], environ)
    features = _answer(["tmux", "display-message", "-p", *target, "#{client_termfeatures}"], environ)
    if features is None:
        return None
    # tmux before 3.3 has no such option and passes everything on.
    return TmuxState(passthrough != "off", frozenset(features.split(",")))


def _answer(command: list[str], environ: Mapping[str, str]) -> str | None:
    try:
        done = subprocess.run(command, env=dict(environ), capture_output=True, text=True, timeout=_PATIENCE, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
