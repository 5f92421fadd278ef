"""A person's own code, named as `path/to/file.py:factory` or `package.module:factory`."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from nastui.errors import ScanError


def call_factory(spec: str, error: type[ScanError]) -> tuple[ModuleType, object]:
    """Import the module of `spec`, call its factory without arguments and return both the module and what came back.

    The folder of a file stands first on `sys.path` from then on, as when Python runs the file itself.
    Raises `error` where the file, module or factory is missing, or where its code raises (with file and line).
    """
    place, _, name = spec.rpartition(":")
    if not place or not name:
        raise error(f"'{spec}' names no factory.", hint="Write path/to/file.py:factory or package.module:factory.")
    module = _import_file(Path(place), error) if place.endswith(".py") else _import_module(place, error)
    factory = getattr(module, name, None)
    if factory is None:
        raise error(f"{place} has no '{name}'.", hint=_candidates_hint(module, name))
    if not callable(factory):
        raise error(f"'{name}' in {place} is a {type(factory).__name__}, not a function.", hint="Name a function.")
    try:
        return module, factory()
    except (Exception, SystemExit) as exc:  # a person's own code may raise anything
        what = described(exc, module.__file__)
        raise error(f"{spec} failed: {what}", hint="Nastui calls it without arguments.") from exc


def misspelt(kind: str, kinds: Iterable[str]) -> str | None:
    """The kind that somebody meant who wrote `kind` before a colon; None where that may be a module."""
    near = difflib.get_close_matches(kind.casefold(), kinds, n=1, cutoff=0.6)
    if not near or not kind.isidentifier() or importlib.util.find_spec(kind) is not None:
        return None
    return near[0]


def described(exc: BaseException, own_file: str | None = None) -> str:
    """What an exception says and where it was raised: `file.py line 7: ValueError: …`.

    The place is the last one in `own_file`, or the last one outside of nastui where the trace does not touch that file.
    """
    words = traceback.format_exception_only(exc)[-1].strip()
    if isinstance(exc, SyntaxError):
        return f"{exc.filename} line {exc.lineno}: {words}"
    trace = traceback.extract_tb(exc.__traceback__)
    own = [frame for frame in trace if frame.filename == own_file]
    others = [frame for frame in trace if not frame.filename.startswith((_PACKAGE, "<frozen"))]
    place = (own or others)[-1:]
    return f"{place[0].filename} line {place[0].lineno}: {words}" if place else words


_PACKAGE = str(Path(__file__).parents[1])


def _import_file(path: Path, error: type[ScanError]) -> ModuleType:
    path = path.expanduser()
    if not path.is_file():
        raise error(f"There is no file {path}.", hint="Write path/to/file.py:factory, relative to this folder.")
    path = path.resolve()
    digest = hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    name = f"{path.stem}_{digest}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as exc:  # a person's own code may raise anything
        del sys.modules[name]
        raise error(f"{path} cannot be imported: {described(exc, str(path))}", hint=_import_hint(exc)) from exc
    return module


def _import_module(name: str, error: type[ScanError]) -> ModuleType:
    if Path(name).is_file():
        raise error(f"{name} is no Python file.", hint="Write path/to/file.py:factory or package.module:factory.")
    if not all(part.isidentifier() for part in name.split(".")):
        raise error(f"'{name}' is no module.", hint="Write path/to/file.py:factory or package.module:factory.")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name is None or not f"{name}.".startswith(f"{exc.name}."):
            raise error(f"{name} cannot be imported: {described(exc)}", hint=_import_hint(exc)) from exc
        raise error(
            f"There is no module '{exc.name}' here.",
            hint=f"Write path/to/file.py:factory for a file. {_import_hint(exc)}",
        ) from exc
    except (Exception, SystemExit) as exc:  # a person's own code may raise anything
        raise error(f"{name} cannot be imported: {described(exc)}", hint=_import_hint(exc)) from exc


def _import_hint(exc: BaseException) -> str:
    if isinstance(exc, ModuleNotFoundError):
        return f"Install {exc.name} into the environment that nastui runs in ({sys.executable}), or set PYTHONPATH."
    return "Put that right and try again."


def _candidates_hint(module: ModuleType, name: str) -> str:
    functions = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    own = [key for key in functions if getattr(vars(module)[key], "__module__", None) == module.__name__]
    near = difflib.get_close_matches(name, own or functions, n=6, cutoff=0.3) or sorted(own)[:6]
    return f"It has: {', '.join(near)}." if near else "It defines no function."
