"""Where in the image a token stands whose value a unit kept, in words."""

from __future__ import annotations

from nastui.records import LayerInfo


def token_words(layer: LayerInfo, position: int) -> str:
    """The place of a layer's token: its row and column among the patches of the image, or that it has none.

    `position`: which of the tokens that count it is; negative where there is none. Nothing of a layer without tokens.
    """
    if layer.tokens is None or position < 0:
        return ""
    grid = layer.token_grid
    if grid is None:
        return f"token {position + 1} of {layer.places[0]}"
    patch = position if layer.tokens == "patches" else position - grid.first
    if patch < 0:
        name = "the class token" if grid.first == 1 else f"token {position + 1} before the patches"
        return f"{name}, no place in the image"
    row, column = divmod(patch, grid.columns)
    if row >= grid.rows:
        return f"token {position + 1} behind the patches, no place in the image"
    return f"token row {row + 1} of {grid.rows}, column {column + 1} of {grid.columns}"
