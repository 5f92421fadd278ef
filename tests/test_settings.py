"""config.toml and the options that override it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nastui.errors import UsageError
from nastui.settings import Settings, config_path, read_settings


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "config.toml") == Settings()


def test_the_file_says_how_footprints_are_looked_at(tmp_path: Path) -> None:
    text = 'images = "half"\ncolor = "256"\n[look]\nranges = 20\nrow_height = 1\nwidths = "auto"\n'
    settings = read_settings(written(tmp_path, text))
    assert settings == Settings("half", "256", {"ranges": 20, "row_height": 1}, follows_classes=True)


def test_options_win_over_the_file(tmp_path: Path) -> None:
    settings = read_settings(written(tmp_path, "[look]\nranges = 20\nmedium = 5\nfull = 9\n"))
    changed = settings.with_look({"ranges": 40, "pitch": None}, "2,6")
    assert changed.look == {"ranges": 40, "medium": 2, "full": 6}


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    environ = {"NASTUI_IMAGES": "none"}
    read_settings(written(tmp_path, 'images = "half"\ncolor = "16"\n')).set_defaults(environ)
    assert environ == {"NASTUI_IMAGES": "none", "NASTUI_COLOR": "16"}


def test_the_file_can_be_named_by_the_environment() -> None:
    assert config_path({"NASTUI_CONFIG": "/etc/nastui.toml"}) == Path("/etc/nastui.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("images = half", "is not TOML"),
        ("imges = 'half'", "Did you mean images?"),
        ("[look]\nrangs = 3", "Did you mean ranges?"),
        ("[look]\nranges = 0", "a whole number from 1 to 200"),
        ("[look]\nrow_height = '2'", "a whole number from 1 to 4"),
        ("[look]\nmedium = 9\nfull = 4", "Medium bars have fewer images"),
        ("[look]\nmedium = 20", "medium is 20 and full 12 (the default)"),
        ("[look]\nfull = 3", "medium is 4 (the default) and full 3"),
        ("[look]\nwidths = '4,12'", "set medium and full"),
        ("look = 3", "is not a table"),
        ("images = 3", "a word in quotes"),
    ],
)
def test_a_mistake_is_named_with_the_file_and_what_to_do(tmp_path: Path, text: str, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        read_settings(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("widths", ["4", "a,b", "12,4", "1,2,3"])
def test_widths_that_make_no_sense_are_refused(widths: str) -> None:
    with pytest.raises(UsageError, match=r"widths|full"):
        Settings().with_look({}, widths)
