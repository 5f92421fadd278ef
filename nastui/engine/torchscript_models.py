"""TorchScript files, `torchscript:FILE`.

TorchScript calls inner modules where Python's hooks are not asked. So modules that contain others are run step by step
here, in modules of the same names, and their innermost ones as TorchScript itself. That both ways give the same is
checked with the first images.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from nastui.engine.file_kinds import TORCHSCRIPT, file_kind, no_such_kind
from nastui.engine.loaded_model import LoadedModel, file_with_weights
from nastui.engine.outputs import tensors_in
from nastui.engine.script_graph import Block, GraphRunner
from nastui.engine.weights import file_sha256
from nastui.errors import ModelNotFound, UnsupportedOutput

KIND = "torchscript"
_TOLERANCE = 1e-4


def load(location: str, weights: Path | None) -> LoadedModel:
    """Open a file that `torch.jit.save` wrote. Nothing but TorchScript in it is run.

    Raises ModelNotFound where it is none, UsageError where other weights were given.
    """
    path, spec = file_with_weights(KIND, location, weights), f"{KIND}:{location}"
    if file_kind(path) != TORCHSCRIPT:
        message, hint = no_such_kind(path, "a TorchScript file")
        raise ModelNotFound(message, hint=hint)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit is deprecated, the files are there
            unit = torch._C.CompilationUnit()
            # As torch.jit.load does, which keeps the unit to itself.
            read: Any = torch._C.import_ir_module
            wrap: Any = torch.jit._recursive.wrap_cpp_module
            script = wrap(read(unit, str(path), torch.device("cpu"), {}, False))
    except (RuntimeError, ValueError) as exc:
        raise ModelNotFound(
            f"{path} cannot be read as TorchScript: {str(exc).splitlines()[0]}",
            hint="torch.jit.save writes such files; a newer torch may not read an older one's.",
        ) from exc
    module = CheckedScript(script.eval(), GraphRunner(unit)).eval()
    return LoadedModel(module, None, None, spec, "", file_sha256(path))


class ScriptedModule(nn.Module):
    """A module of a TorchScript file, with its parameters, buffers and inner modules under their names."""

    def __init__(self, script: Any, runner: GraphRunner) -> None:
        super().__init__()
        self._script: Any
        self.__dict__["_script"] = script  # no module of this one: its parameters would count twice
        self._runner = runner
        self._graphs: dict[str, Block] = {}
        for name, child in script.named_children():
            self.add_module(name, ScriptedModule(child, runner))
        self._take_tensors()

    def type_name(self) -> str:
        """The class that the module was made from, in full."""
        return str(self._script._c._type().qualified_name())

    def forward(self, *args: Any, method: str = "forward") -> Any:
        """Run the module. `method`: a traced module that was called k times has `forward`, `forward1`, …"""
        if not self._modules:
            return getattr(self._script, method)(*args)
        if method not in self._graphs:
            self._graphs[method] = Block.of(getattr(self._script, method).graph)
        return self._runner.run(self._graphs[method], (self, *args))

    def attribute(self, name: str) -> Any:
        """What graphs find under a name."""
        return self._modules[name] if name in self._modules else getattr(self._script, name)

    def call(self, method: str, args: Sequence[Any]) -> Any:
        """What graphs call: a module's forward, which hooks see, or a method beside it."""
        if method == "forward":
            return self(*args)
        return self(*args, method=method) if method.startswith("forward") else self.forward(*args, method=method)

    def train(self, mode: bool = True) -> Self:
        """As of any module; what runs as TorchScript goes along."""
        self._script.train(mode)
        return super().train(mode)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        self._script._apply(fn)
        for module in self.modules():
            if isinstance(module, ScriptedModule):
                module._take_tensors()
        return self

    def _take_tensors(self) -> None:
        for name, parameter in self._script.named_parameters(recurse=False):
            self._parameters[name] = nn.Parameter(parameter.detach(), requires_grad=False)
        for name, buffer in self._script.named_buffers(recurse=False):
            self._buffers[name] = buffer


class CheckedScript(ScriptedModule):
    """The outermost module: it answers the first images in both ways."""

    def __init__(self, script: Any, runner: GraphRunner) -> None:
        super().__init__(script, runner)
        self._answer: Callable[[Any], Any] | None = None

    def forward(self, *args: Any, method: str = "forward") -> Any:
        """As the file as a whole. Raises UnsupportedOutput where it answers the first images otherwise."""
        output = super().forward(*args, method=method)
        if method != "forward":  # a method that the model's own forward calls
            return output
        if self._answer is None:
            whole = self._script(*args)
            _check_same(output, whole)
            self._answer = type(whole)._make if hasattr(whole, "_fields") else _as_it_is
        return self._answer(output)


def _as_it_is(output: Any) -> Any:
    return output


def _check_same(output: object, expected: object) -> None:
    """Numbers may differ as much as they do between two devices."""
    found, wanted = [[tensor for _, tensor in tensors_in(one)] for one in (output, expected)]
    if len(found) != len(wanted) or not all(map(_is_close, found, wanted)):
        raise UnsupportedOutput(
            "Run step by step, the TorchScript file answers otherwise than as a whole.",
            hint="Name a factory that builds the model: path/to/file.py:factory.",
        )


def _is_close(found: Tensor, wanted: Tensor) -> bool:
    if found.shape != wanted.shape:
        return False
    scale = float(wanted.double().abs().nan_to_num(0, 0, 0).max()) if wanted.numel() else 0
    return torch.allclose(found.double(), wanted.double(), rtol=0, atol=_TOLERANCE * scale, equal_nan=True)
