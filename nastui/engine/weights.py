"""Weights files: read without running their code, unwrapped, fitted to a module, hashed."""

from __future__ import annotations

import errno
import hashlib
import pickle
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nastui.engine.file_kinds import CHECKPOINT, PICKLE, file_kind, no_such_kind
from nastui.engine.pickle_globals import foreign_globals
from nastui.engine.safetensors_files import INDEX_SUFFIX, SUFFIX, read_safetensors, shards
from nastui.errors import WeightsError

StateDict = dict[str, Tensor]

_CONTAINERS = ("state_dict", "model_state_dict", "model", "net", "module")
_WRAPPERS = ("module", "_orig_mod")
_SHOWN = 6


def read_state_dict(path: Path) -> StateDict:
    """The tensors in a checkpoint by name, on the CPU, taken out of the usual containers (`state_dict`, `model`, …).

    Nothing in the file is run. Raises WeightsError where the file is missing, damaged, holds code, or no tensors.
    """
    content: Any = _load(path)
    while isinstance(content, Mapping):
        inner = next((content[key] for key in _CONTAINERS if _holds_tensors(content.get(key))), None)
        if inner is None:
            break
        content = inner
    if not isinstance(content, Mapping):
        raise WeightsError(
            f"{path} holds a {type(content).__name__}, not a state dict.",
            hint="Save it with torch.save(model.state_dict(), …).",
        )
    state = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    if not state:
        keys = ", ".join(repr(key) for key in list(content)[:_SHOWN]) or "nothing"
        raise WeightsError(f"{path} holds no weights; its keys: {keys}.", hint=_where_weights_are(path, content))
    return state


@dataclass(frozen=True, slots=True)
class Misfit:
    """Where a state dict and a module differ: names, and (name, shape in the file, shape in the module)."""

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    wrong_shapes: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.wrong_shapes)

    def __str__(self) -> str:
        """The differences as a short diff, at most six of a sort."""
        wrong = (
            f"{name}: {_shape(found)} in the file, {_shape(wanted)} in the model"
            for name, found, wanted in self.wrong_shapes
        )
        parts = (
            _listing("missing from the file", self.missing),
            _listing("not in the model", self.unexpected),
            _listing("of another shape", tuple(wrong)),
        )
        return "\n".join(part for part in parts if part)


def find_misfit(module: nn.Module, state: Mapping[str, Tensor]) -> Misfit:
    """Compare a state dict with what a module needs.

    BatchNorm's batch counters are not missed: inference reads none.
    """
    wanted = {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}
    missing = (name for name in wanted if name not in state and not name.endswith(".num_batches_tracked"))
    wrong = (
        (name, tuple(state[name].shape), tuple(value.shape))
        for name, value in wanted.items()
        if name in state and state[name].shape != value.shape
    )
    return Misfit(tuple(missing), tuple(name for name in state if name not in wanted), tuple(wrong))


def unwrapped(module: nn.Module, state: Mapping[str, Tensor]) -> StateDict:
    """`state` without the prefixes that DataParallel and torch.compile put on names, unless `module` has them too."""
    names = set(module.state_dict())
    result = dict(state)
    while result and not names.intersection(result):
        if not all(name.split(".")[0] in _WRAPPERS for name in result):
            break
        result = {name.partition(".")[2]: value for name, value in result.items()}
    if any("_orig_mod" in name.split(".") for name in result) and not any("_orig_mod" in name for name in names):
        result = {".".join(p for p in name.split(".") if p != "_orig_mod"): value for name, value in result.items()}
    return result


def fit_state_dict(module: nn.Module, state: Mapping[str, Tensor], *, path: Path | str = "the weights") -> None:
    """Load `state` into `module` after undoing wrappers; values are cast to the module's dtypes.

    Raises WeightsError with a short diff where names or shapes differ; the module is then unchanged.
    """
    fitting = unwrapped(module, state)
    misfit = find_misfit(module, fitting)
    if misfit:
        raise WeightsError(f"{path} does not fit the model.\n{misfit}", hint=_misfit_hint(module, fitting))
    try:
        whole = module.state_dict()  # brings the version of each module, which MNASNet for one insists on
        whole.update(fitting)
        module.load_state_dict(whole)
    except (RuntimeError, ValueError) as exc:  # a module that loads in its own way
        raise WeightsError(f"{path} does not fit the model: {exc}", hint=_misfit_hint(module, fitting)) from exc


def weights_sha256(path: Path) -> str:
    """The sha256 of a weights file as hex digits; of an index of parts that of its own sum and theirs."""
    parts = shards(path) if path.name.endswith(INDEX_SUFFIX) else []
    if not parts:
        return file_sha256(path)
    return hashlib.sha256("".join(map(file_sha256, (path, *parts))).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """The sha256 of a file's bytes as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def state_sha256(module: nn.Module) -> str:
    """The sha256 of a module's parameters and buffers: names in sorted order, dtypes, shapes and bytes."""
    digest = hashlib.sha256()
    state = module.state_dict()
    for name in sorted(state):
        value = state[name]
        if isinstance(value, Tensor):
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
            digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _load(path: Path) -> object:
    if not path.is_file():
        what = f"{path} is a folder, not a weights file." if path.is_dir() else f"There is no weights file {path}."
        raise WeightsError(what, hint="Check the path given as --weights.")
    if path.name.endswith((SUFFIX, INDEX_SUFFIX)):
        return read_safetensors(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's advice on pickle protocols and archives: the errors below say it
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as exc:
        if exc.errno == errno.EINVAL:  # from looking for the end of an archive before its beginning
            raise _unreadable(path, exc) from exc
        raise WeightsError(f"{path} cannot be read: {exc.strerror or exc}.", hint="Check its permissions.") from exc
    except (pickle.UnpicklingError, RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError) as exc:
        raise _unreadable(path, exc) from exc


def _where_weights_are(path: Path, content: Mapping[Any, Any]) -> str:
    """How to take out weights that lie under a key of nobody else's."""
    inside = [key for key, value in content.items() if isinstance(key, str) and _holds_tensors(value)]
    if not inside:
        return "Name a file made from a state dict."
    load, save = f"m = torch.load({str(path)!r}, map_location='cpu')", f"torch.save(m[{inside[0]!r}], 'weights.pt')"
    return f"There are tensors under {', '.join(map(repr, inside))}. Keep only these:\n" + (
        f'  python -c "import torch; {load}; {save}"'
    )


def _unreadable(path: Path, exc: Exception) -> WeightsError:
    if "TorchScript" in str(exc):
        return WeightsError(
            f"{path} is a TorchScript archive, a program and not only weights.",
            hint=_conversion_hint(path, "torch.jit.load('FILE', map_location='cpu')"),
        )
    names = foreign_globals(path)
    if names:
        shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        return WeightsError(
            f"{path} is a pickle that wants to run code when it is loaded: {shown}. Nastui did not run it.",
            hint=_conversion_hint(path, "torch.load('FILE', map_location='cpu', weights_only=False)"),
        )
    if file_kind(path) in (CHECKPOINT, PICKLE):
        return WeightsError(
            f"{path} is a damaged checkpoint, or it is cut short ({path.stat().st_size:,} bytes).",
            hint="Fetch or save it again.",
        )
    message, hint = no_such_kind(path, "a PyTorch checkpoint")
    return WeightsError(message, hint=hint)


def _conversion_hint(path: Path, load: str) -> str:
    save = "torch.save(m.get('state_dict', m) if isinstance(m, dict) else m.state_dict(), 'weights.pt')"
    return (
        "If you trust who made it, keep only its weights, in the environment that it came from:\n"
        f'  python -c "import torch; m = {load}; {save}"'
    ).replace("FILE", str(path))


def _misfit_hint(module: nn.Module, state: Mapping[str, Tensor]) -> str:
    """What may be wrong: a prefix that would make names fit is named, but never guessed away."""
    wanted = set(module.state_dict())
    for prefix in sorted({name.partition(".")[0] for name in state}):
        stripped = {name.removeprefix(f"{prefix}.") for name in state if name.startswith(f"{prefix}.")}
        n_fitting = len(stripped & wanted)
        if n_fitting > len(wanted.intersection(state)):
            return f"Without the prefix '{prefix}.' {n_fitting} of the file's {len(state)} names would fit."
    return "Is it the file of this model, with the same number of outputs?"


def _holds_tensors(value: object) -> bool:
    """Whether `value` is a mapping with tensors in it, directly or one container down."""
    if not isinstance(value, Mapping):
        return False
    return any(isinstance(v, Tensor) for v in value.values()) or any(_holds_tensors(value.get(k)) for k in _CONTAINERS)


def _listing(title: str, items: Iterable[str]) -> str:
    names = tuple(items)
    if not names:
        return ""
    more = f", … {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"  {len(names):,} {title}: {', '.join(names[:_SHOWN])}{more}"


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "scalar"
