"""Where in the image the token stands whose value a unit kept is said wherever one stands on the image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nastui.app import NastuiApp
from nastui.records import Int32, LayerInfo, TokenGrid, Tokens
from nastui.screens.unit import UnitScreen
from nastui.views.token_place import token_words
from tests.fake_run import FakeRun
from tests.opened_app import opened, press, text_of


class TokenRun(FakeRun):
    """Its first layer has a class token and 2×3 patches; image i gets its value from token i % 7."""

    def __init__(self) -> None:
        super().__init__()
        change = {"shape": (7, 40), "unit_dim": 1, "tokens": "all", "token_grid": TokenGrid(1, 2, 3), "field": None}
        self._layers[0] = replace(self._layers[0], **change)  # type: ignore[arg-type]

    def positions(self, layer: LayerInfo, unit: int) -> Int32 | None:
        return np.arange(len(self.class_id), dtype=np.int32) % 7 if layer.tokens else None


PLACES = ["the class token, no place in the image"] + [
    f"token row {row} of 2, column {column} of 3" for row in (1, 2) for column in (1, 2, 3)
]


@pytest.mark.parametrize(
    ("tokens", "grid", "position", "words"),
    [
        ("all", TokenGrid(1, 7, 5), 0, "the class token, no place in the image"),
        ("all", TokenGrid(1, 7, 5), 1, "token row 1 of 7, column 1 of 5"),
        ("all", TokenGrid(1, 7, 5), 35, "token row 7 of 7, column 5 of 5"),
        ("all", TokenGrid(1, 7, 5), 36, "token 37 behind the patches, no place in the image"),
        ("all", TokenGrid(5, 7, 5), 2, "token 3 before the patches, no place in the image"),
        ("all", TokenGrid(0, 7, 5), 5, "token row 2 of 7, column 1 of 5"),
        ("patches", TokenGrid(1, 7, 5), 0, "token row 1 of 7, column 1 of 5"),
        ("all", None, 3, "token 4 of 7"),
        ("all", TokenGrid(1, 7, 5), -1, ""),
        (None, None, 3, ""),
    ],
)
def test_a_token_is_said_by_its_row_and_column(
    tokens: Tokens | None, grid: TokenGrid | None, position: int, words: str
) -> None:
    layer = replace(TokenRun().layers()[0], tokens=tokens, token_grid=grid)
    assert token_words(layer, position) == words


async def test_the_neuron_screen_says_it_of_the_image_that_one_stands_on() -> None:
    async with opened(TokenRun(), "features.0:3") as (app, pilot):
        for _ in range(4):
            line = next(line for line in text_of(app) if line.startswith(" image "))
            assert line.rstrip().endswith(f"highest first · {PLACES[_image(app) % 7]}")
            await press(pilot, "m", "j")


def _image(app: NastuiApp) -> int:
    assert isinstance(app.screen, UnitScreen)
    image_id = app.screen.walk.image_id
    assert image_id is not None
    return image_id


async def test_the_image_screen_says_it_behind_the_value() -> None:
    async with opened(TokenRun(), "features.0:3") as (app, pilot):
        await press(pilot, "m")
        image = _image(app)
        await press(pilot, "enter")
        line = next(line for line in text_of(app) if "features.0:3 gives it" in line)
        assert f"at {PLACES[image % 7]}   range" in line
