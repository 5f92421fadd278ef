"""The settings of the interface: from the command line, else the environment, else the file config.toml."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nastui.errors import UsageError
from nastui.limits import MAX_RANGES
from nastui.views.look import Look

AUTO = "auto"
_LOOK_LIMITS = {
    "ranges": (1, MAX_RANGES),
    "medium": (2, 10**9),
    "full": (3, 10**9),
    "row_height": (1, 4),
    "pitch": (2, 4),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What config.toml says; None for what it does not.

    `look`: numbers by the names of `views.look.Look`. `follows_classes`: bar widths fit the images per class.
    """

    images: str | None = None
    color: str | None = None
    look: Mapping[str, int] = field(default_factory=dict)
    follows_classes: bool = False

    def with_look(self, options: Mapping[str, int | None], widths: str | None) -> Settings:
        """These settings with what the command line says instead. Raises UsageError for a `widths` that makes no
        sense: it is `auto` or two numbers such as 4,12."""
        look = {**self.look, **{name: value for name, value in options.items() if value is not None}}
        if widths is None:
            return Settings(self.images, self.color, look, self.follows_classes)
        if widths == AUTO:
            return Settings(self.images, self.color, look, True)
        try:
            medium, full = (int(part) for part in widths.split(","))
        except ValueError as exc:
            raise UsageError(f"--widths is '{widths}'.", hint="Write auto, or two numbers: 4,12.") from exc
        look |= _checked_look({"medium": medium, "full": full}, "--widths")
        return Settings(self.images, self.color, look, False)

    def set_defaults(self, environ: MutableMapping[str, str]) -> None:
        """Put the file's images and colours where the environment has none of its own."""
        for name, word in (("NASTUI_IMAGES", self.images), ("NASTUI_COLOR", self.color)):
            if word is not None:
                environ.setdefault(name, word)


def config_path(environ: Mapping[str, str]) -> Path:
    """Where config.toml is: NASTUI_CONFIG, else in the user's configuration folder."""
    if named := environ.get("NASTUI_CONFIG"):
        return Path(named)
    from platformdirs import user_config_path

    return user_config_path("nastui") / "config.toml"


def read_settings(path: Path) -> Settings:
    """Read config.toml; a file that is not there says nothing. Raises UsageError, naming the file and the key."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc.strerror}.", hint="Mend its permissions, or move it.") from exc
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise UsageError(f"{path} is not TOML: {exc}.", hint="Mend that line, or move the file away.") from exc
    return _settings(values, str(path))


def _settings(values: Mapping[str, Any], where: str) -> Settings:
    _all_known(values, ("images", "color", "look"), where)
    look = values.get("look", {})
    if not isinstance(look, dict):
        raise UsageError(f"look in {where} is not a table.", hint="Write [look] on a line of its own.")
    widths = look.get("widths")
    if widths not in (None, AUTO):
        raise UsageError(
            f"widths in {where} is {widths!r}.", hint='It can be "auto"; for fixed widths set medium and full.'
        )
    return Settings(
        images=_word(values, "images", where),
        color=_word(values, "color", where),
        look=_checked_look({name: value for name, value in look.items() if name != "widths"}, where),
        follows_classes=widths == AUTO,
    )


def _checked_look(values: Mapping[str, Any], where: str) -> dict[str, int]:
    _all_known(values, (*_LOOK_LIMITS, "widths"), where)
    for name, value in values.items():
        low, high = _LOOK_LIMITS[name]
        if type(value) is not int or not low <= value <= high:
            raise UsageError(f"{name} in {where} is {value!r}.", hint=f"It is a whole number from {low} to {high:,}.")
    medium, full = values.get("medium", Look().medium), values.get("full", Look().full)
    if medium >= full:
        default = {name: "" if name in values else " (the default)" for name in ("medium", "full")}
        raise UsageError(
            f"In {where} medium is {medium}{default['medium']} and full {full}{default['full']}.",
            hint="Medium bars have fewer images than full ones: set both.",
        )
    return dict(values)


def _word(values: Mapping[str, Any], name: str, where: str) -> str | None:
    value = values.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{name} in {where} is {value!r}.", hint='It is a word in quotes, such as "auto".')
    return value


def _all_known(values: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in values:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names)}."
            raise UsageError(f"{where} has an unknown setting '{name}'.", hint=hint)
