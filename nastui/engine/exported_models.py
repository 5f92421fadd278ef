"""Files of `torch.export.save`, `exported:FILE`: taken apart again into the modules that they were exported from."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from nastui.engine.file_kinds import EXPORTED, file_kind, no_such_kind
from nastui.engine.loaded_model import LoadedModel, file_with_weights
from nastui.engine.weights import file_sha256
from nastui.errors import ModelNotFound

KIND = "exported"
_DYNAMIC = (
    "Export it with a free number of images: "
    "torch.export.export(model.eval(), (images,), dynamic_shapes=({0: torch.export.Dim('batch')},))."
)


def load(location: str, weights: Path | None) -> LoadedModel:
    """Open a file that `torch.export.save` wrote. Inner modules have their names, and hooks see their calls.

    torch unpickles what the file says is pickled: it is a program, and may run any code.

    Raises ModelNotFound where it is none, takes only so many images at once or was exported in training mode, and
    UsageError where other weights were given.
    """
    path, spec = file_with_weights(KIND, location, weights), f"{KIND}:{location}"
    if file_kind(path) != EXPORTED:
        message, hint = no_such_kind(path, "a file of torch.export")
        raise ModelNotFound(message, hint=hint)
    try:
        from torch.export.unflatten import unflatten  # brings a second's worth of compiler

        with _quiet():
            program = torch.export.load(path)
        module: nn.Module = unflatten(program)
    except Exception as exc:  # the archive's, the unpickler's and the verifier's errors have nothing in common
        raise ModelNotFound(
            f"{path} cannot be read as a file of torch.export: {str(exc).strip().partition(chr(10))[0]}",
            hint="torch.export.save writes them; a newer torch may not read an older one's.",
        ) from exc
    _check(program, spec)
    return LoadedModel(module.eval(), None, None, spec, "", file_sha256(path))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch from logging the traceback of an error that it raises as well."""
    log = logging.getLogger("torch.export")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


def _check(program: Any, spec: str) -> None:
    """Whether scans can use it."""
    graph = program.graph_module.graph
    names = set(program.graph_signature.user_inputs)
    inputs = [node.meta["val"] for node in graph.nodes if node.op == "placeholder" and node.name in names]
    tensors = [value for value in inputs if isinstance(value, torch.Tensor)]
    if len(tensors) != 1 or len(inputs) != 1:
        raise ModelNotFound(
            f"{spec} takes {len(inputs)} inputs.", hint="Export a module that takes one tensor: images."
        )
    if not tensors[0].ndim or isinstance(tensors[0].shape[0], int):
        shape = "×".join(map(str, tensors[0].shape))
        raise ModelNotFound(f"{spec} takes images in batches of {shape} and no others.", hint=_DYNAMIC)
    for node in graph.nodes:
        if node.op == "call_function" and _is_training(node):
            raise ModelNotFound(
                f"{spec} was exported in training mode: {node.target} depends on chance or on the other images.",
                hint="Call model.eval() before torch.export.export.",
            )


def _is_training(node: Any) -> bool:
    """Whether an operation of the graph is dropout or batch normalisation as in training."""
    name = str(node.target)
    if name in ("aten.dropout.default", "aten.feature_dropout.default", "aten.native_dropout.default"):
        return len(node.args) > 2 and bool(node.args[2]) and float(node.args[1]) > 0
    return name == "aten.batch_norm.default" and len(node.args) > 5 and bool(node.args[5])
