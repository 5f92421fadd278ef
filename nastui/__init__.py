"""nastui: look at a neuron through all the images, sorted by its value, coloured by class.

    import nastui
    info = nastui.scan(model, dataset, layers="features.*", out="run.nas.db")
    with nastui.open_run("run.nas.db") as run:
        activations = run.activations(run.layer("features.0"))  # (N, U) float32

`scan` needs torch and brings it in when it is first used; `open_run` does without.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nastui.engine.scan import scan
    from nastui.store.reader import RunReader

__all__ = ["__version__", "open_run", "scan"]

__version__ = "0.1.0"


def open_run(path: str | Path) -> RunReader:
    """Open a run's file to read it, as NumPy arrays and records. Raises NotARun and SchemaTooNew."""
    from nastui.store.reader import RunReader

    return RunReader(path)


def __getattr__(name: str) -> Any:
    if name == "scan":
        from nastui.engine.scan import scan

        return scan
    raise AttributeError(f"module 'nastui' has no attribute '{name}'")
