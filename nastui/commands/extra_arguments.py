"""Arguments that no parameter takes: nearly always a wildcard that the shell has replaced by the files it matches."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import click

from nastui.errors import UsageError

_SHOWN = 4


def too_many_words(ctx: click.Context, arguments: Sequence[str]) -> UsageError | None:
    """What to say where several words follow an option that takes one; None where that is not what is wrong.

    `arguments`: those of nastui, as typed.
    """
    name = ctx.info_name or ""
    if name not in arguments:
        return None
    typed = [*arguments[arguments.index(name) + 1 :]]
    extra = _extra(ctx, typed)
    options = {text: one for one in ctx.command.params if isinstance(one, click.Option) for text in one.opts}
    for place, text in enumerate(typed):
        option = options.get(text)
        if option is None or option.is_flag or option.count:
            continue
        words = _until_option(typed[place + 1 :])
        files = [*takewhile(lambda word: Path(word).exists(), words)]
        if len(files) > 1 and extra:
            advice = f"The shell puts files in the place of a wildcard: put it in quotes, {text} '{_pattern(files)}'."
            return _error(text, files, advice)
        if len(words) > 1 and set(words[1:]) <= extra:
            advice = f"Write commas between several, or put it in quotes: {text} '{','.join(words)}'."
            return _error(text, words, advice)
    return None


def _extra(ctx: click.Context, typed: Sequence[str]) -> set[str]:
    """The words that are left when each argument of the command has its own."""
    try:
        _, left, _ = ctx.command.make_parser(ctx).parse_args([*typed])
    except click.UsageError:  # something else is wrong
        return set()
    return set(left)


def _until_option(words: Sequence[str]) -> list[str]:
    """The first word, whatever it is, and those up to the next option."""
    return [*words[:1], *takewhile(lambda word: not word.startswith("-"), words[1:])]


def _error(option: str, words: Sequence[str], advice: str) -> UsageError:
    more = f" and {len(words) - _SHOWN:,} more" if len(words) > _SHOWN else ""
    return UsageError(
        f"{option} takes one value and got {len(words):,}: {' '.join(words[:_SHOWN])}{more}.", hint=advice
    )


def _pattern(words: Sequence[str]) -> str:
    """The wildcard that may have stood there."""
    start = _common_start(words)
    end = _common_start([word[len(start) :][::-1] for word in words])[::-1]
    return f"{start}*{end}"


def _common_start(words: Sequence[str]) -> str:
    columns = takewhile(lambda letters: len(set(letters)) == 1, zip(*words, strict=False))
    return "".join(letters[0] for letters in columns)
