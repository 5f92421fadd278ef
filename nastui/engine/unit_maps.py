"""What a layer gave one image at every position: the model of a run, run once more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nastui.engine.capture import ActivationCapture
from nastui.engine.rebuild import Anew, answering
from nastui.errors import UnsupportedOutput, UsageError
from nastui.records import Float32, LayerInfo
from nastui.store.reader import RunReader


def read_unit_maps(
    run: RunReader, neurons: LayerInfo, image: int, anew: Anew | None = None, device: str = "auto"
) -> Float32:
    """The layer's whole output for an image of a run: (D, h, w) for its D neurons, of tokens the patches.

    `neurons`: the layer read along its neurons. `anew`, and what else is raised: see `answering`. Raises UsageError
    where the layer has no map of the image, or the run no neurons that have one.
    """
    grid = neurons.token_grid
    if len(neurons.places) != 2 and grid is None:
        raise UsageError(
            f"{neurons.path} has no map of the image, its output is {'×'.join(map(str, neurons.shape))}.",
            hint="Choose a convolutional layer, or tokens of which the run knows where the patches are.",
        )
    if run.info().spec.reduction == "none":
        raise UsageError(
            f"{run.info().name} was scanned with --reduce none: a unit of {neurons.path} is one place, and has no map.",
            hint="Scan with another reduction, --reduce sample for this purpose.",
        )
    if not run.image_table().is_ok[image]:
        raise UsageError(f"Image {image} could not be decoded in the scan.", hint="Choose another image.")
    with answering(run, anew, device) as (rebuilt, there):
        layer = rebuilt.capture_layer(neurons, there)
        inputs = rebuilt.preprocessing(rebuilt.source.load(rebuilt.indices[image]))[None].to(there)
        with ActivationCapture(rebuilt.model.module, [replace(layer, kept=None)], "none") as capture:
            flat = capture.run(inputs, np.array([image])).values[layer.spec.path]
    maps = np.moveaxis(flat.reshape(neurons.shape), layer.unit_dim, 0)
    if grid is not None:
        patches = maps[:, grid.first : grid.first + grid.rows * grid.columns]
        maps = patches.reshape(len(maps), grid.rows, grid.columns)
    if maps.shape[0] != neurons.n_units:
        raise UnsupportedOutput(
            f"{neurons.path} gives {maps.shape[0]:,} maps by now, and has {neurons.n_units:,} neurons in the run.",
            hint="The model's code has changed since the scan: use the code of that time, or scan again.",
        )
    return np.ascontiguousarray(maps, dtype=np.float32)
