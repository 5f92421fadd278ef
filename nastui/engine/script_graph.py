"""TorchScript graphs run node by node in Python, so that the modules that they call can be watched."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from nastui.errors import UnsupportedOutput


@dataclass(frozen=True, slots=True)
class _Step:
    """A node with the numbers of the values that it takes, gives and is the last to need, and the blocks in it."""

    node: Any
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    dead: tuple[int, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A graph, or a part of one that runs as a whole, made ready to run."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    steps: tuple[_Step, ...]

    @classmethod
    def of(cls, block: Any) -> Block:
        """From a graph of torch's or a block in it."""
        inputs, outputs, nodes = _numbers(block.inputs()), _numbers(block.outputs()), list(block.nodes())
        own = {*inputs, *(number for node in nodes for number in _numbers(node.outputs()))}
        last_use = {number: index for index, node in enumerate(nodes) for number in _touched(node)}
        steps = (
            _Step(
                node,
                node.kind(),
                _numbers(node.inputs()),
                _numbers(node.outputs()),
                tuple(n for n in _touched(node) if n in own and n not in outputs and last_use[n] == index),
                tuple(map(cls.of, node.blocks())),
            )
            for index, node in enumerate(nodes)
        )
        return cls(inputs, outputs, tuple(steps))


def _numbers(values: Iterable[Any]) -> tuple[int, ...]:
    return tuple(value.unique() for value in values)


def _touched(node: Any) -> set[int]:
    """The values that a node, or what is in it, takes or gives."""
    touched = {*_numbers(node.inputs()), *_numbers(node.outputs())}
    for block in node.blocks():
        touched.update(_numbers(block.outputs()))
        for inner in block.nodes():
            touched |= _touched(inner)
    return touched


@dataclass(frozen=True, slots=True)
class GraphRunner:
    """Runs the graphs of one file. `functions`: torch's compilation unit, with the functions that graphs call."""

    functions: Any

    def run(self, graph: Block, args: Sequence[Any]) -> Any:
        """What the graph returns for `args`, the first of which is the module itself.

        Raises UnsupportedOutput for an operation that it does not know how to run.
        """
        given = self._run_block(graph, dict(zip(graph.inputs, args, strict=True)))
        return given[0] if len(given) == 1 else tuple(given)

    def _run_block(self, block: Block, values: dict[int, Any]) -> list[Any]:
        for step in block.steps:
            given = self._run_step(step, [values[number] for number in step.inputs], values)
            values.update(zip(step.outputs, given, strict=True))
            for number in step.dead:
                values.pop(number, None)
        return [values[number] for number in block.outputs]

    def _run_step(self, step: _Step, args: list[Any], values: dict[int, Any]) -> Sequence[Any]:
        kind, node = step.kind, step.node
        if kind == "prim::If":
            return self._run_block(step.blocks[0 if args[0] else 1], dict(values))
        if kind == "prim::Loop":
            return self._loop(step.blocks[0], args, values)
        if kind in _MANY:
            return _MANY[kind](args)
        if kind == "prim::Constant":
            return [self._constant(node)]
        if kind == "prim::GetAttr":
            return [args[0].attribute(node.s("name"))]
        if kind == "prim::CallMethod":
            return [args[0].call(node.s("name"), args[1:])]
        if kind == "prim::CallFunction":
            return [args[0](*args[1:])]
        given = _ONE[kind](args) if kind in _ONE else _run_operation(node, args)
        return [given] if len(step.outputs) == 1 else list(given or ())[: len(step.outputs)]

    def _constant(self, node: Any) -> Any:
        output = node.output()
        if output.type().kind() == "FunctionType":
            return self.functions.find_function(output.type().annotation_str)
        return output.toIValue()

    def _loop(self, body: Block, args: list[Any], values: dict[int, Any]) -> list[Any]:
        most, goes_on, *carried = args
        turn = 0
        while goes_on and turn < most:
            goes_on, *carried = self._run_block(
                body, {**values, **dict(zip(body.inputs, [turn, *carried], strict=True))}
            )
            turn += 1
        return carried


# Nodes with as many outputs as there are things in what they take.
_MANY: dict[str, Callable[[list[Any]], list[Any]]] = {
    "prim::ListUnpack": lambda args: list(args[0]),
    "prim::TupleUnpack": lambda args: list(args[0]),
}
# Lists and dicts are Python's own here: torch's operations would change a copy of them.
_ONE: dict[str, Callable[[list[Any]], Any]] = {
    "prim::ListConstruct": list,
    "prim::TupleConstruct": tuple,
    "prim::DictConstruct": lambda args: dict(zip(args[::2], args[1::2], strict=True)),
    "prim::TupleIndex": lambda args: args[0][args[1]],
    "prim::Uninitialized": lambda args: None,
    "prim::unchecked_cast": lambda args: args[0],
    "aten::__is__": lambda args: args[0] is args[1],
    "aten::__isnot__": lambda args: args[0] is not args[1],
    "aten::__not__": lambda args: not args[0],
    "aten::__getitem__": lambda args: args[0][args[1]],
    "aten::__contains__": lambda args: args[1] in args[0],
    "aten::len": lambda args: len(args[0]),
    "aten::warn": lambda args: None,
    "aten::format": lambda args: args[0].format(*args[1:]),
    "prim::data": lambda args: args[0].detach(),
    "aten::append": lambda args: (args[0].append(args[1]), args[0])[1],
    "aten::extend": lambda args: args[0].extend(args[1]),
    "aten::insert": lambda args: args[0].insert(args[1], args[2]),
    "aten::pop": lambda args: args[0].pop(*args[1:]),
    "aten::clear": lambda args: args[0].clear(),
    "aten::_set_item": lambda args: (operator.setitem(args[0], args[1], args[2]), args[0])[1],
}


def _run_operation(node: Any, args: list[Any]) -> Any:
    operation, names, keywords = _operation(node.kind(), node.schema())
    placed = [value for value, name in zip(args, names, strict=True) if name not in keywords]
    named = {name: value for value, name in zip(args, names, strict=True) if name in keywords}
    return operation(*placed, **named)


@cache
def _operation(kind: str, schema: str) -> tuple[Callable[..., Any], tuple[str, ...], frozenset[str]]:
    """torch's operation, the names of its arguments, and which of these have to be given by name."""
    try:
        parsed = torch._C.parse_schema(schema)
        operation, *_ = torch._C._get_operation_overload(kind, parsed.overload_name)
    except (RuntimeError, TypeError) as exc:
        raise _unknown(kind) from exc
    changed = [one for one in parsed.arguments if one.alias_info is not None and one.alias_info.is_write]
    if any(str(one.type).startswith(("List", "Dict")) for one in changed):
        raise _unknown(kind)
    names = tuple(one.name for one in parsed.arguments)
    return operation, names, frozenset(one.name for one in parsed.arguments if one.kwarg_only)


def _unknown(kind: str) -> UnsupportedOutput:
    return UnsupportedOutput(
        f"The TorchScript file uses {kind}, which nastui cannot follow.",
        hint="Name a factory that builds the model, path/to/file.py:factory, or export it with torch.export.save.",
    )
