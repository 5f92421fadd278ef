"""Whether an image's values are its own: the same the second time, and in other company."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nastui.engine.inspection.finding import Finding
from nastui.engine.trace import run_forward

_TOLERANCE = 1e-3  # of the outputs' spread: sums in another order differ by some 1e-6 of it


def check_stability(module: nn.Module, inputs: Tensor) -> list[Finding]:
    """`inputs`: (B, ...) of different images, on the model's device; three forward passes of a few of them."""
    with torch.inference_mode():
        # Copies, for a model may change its input in place.
        once, again = run_forward(module, inputs.clone()), run_forward(module, inputs.clone())
        apart = _difference(once, again)
        if apart > _TOLERANCE:
            return [
                Finding(
                    "random-forward",
                    f"The same batch twice gave different outputs (by {apart:.2g} of their spread): chance is at work.",
                    "Look for dropout by function, noise or sampling in the model's forward.",
                )
            ]
        if len(inputs) < 4:
            return []
        half = len(inputs) // 2
        in_company = run_forward(module, torch.cat([inputs[:half], inputs[:half].flip(0)]))
        apart = _difference(once[:half], in_company[:half])
    if apart <= _TOLERANCE:
        return []
    return [
        Finding(
            "batch-dependent",
            f"The outputs for an image depend on the other images of its batch (by {apart:.2g} of their spread).",
            "Look for BatchNorm that uses the batch's own statistics, or for normalising over the batch.",
        )
    ]


def _difference(one: Tensor, other: Tensor) -> float:
    """The largest difference as a share of how far the values are apart; NaN in the same places is no difference."""
    one, other = torch.nan_to_num(one.double()), torch.nan_to_num(other.double())
    spread = float(one.max() - one.min()) or float(one.abs().max()) or 1.0
    return float((one - other).abs().max()) / spread
