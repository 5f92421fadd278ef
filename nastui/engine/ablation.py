"""What a model does without some units of a layer: real forward passes with these removed (docs/ablation.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nastui.ablation_records import AblationCurve, UnitCost
from nastui.addresses import find_layer
from nastui.engine.ablation_orders import AblationOptions, EditMaker, Order, plan_orders, plan_unit
from nastui.engine.loader import LoadedBatch, load_batches
from nastui.engine.plan import library_versions
from nastui.engine.rebuild import Anew, Rebuilt, answering
from nastui.engine.reduction import parse_reduction
from nastui.engine.removal import Edit, LayerEditor
from nastui.errors import DataNotFound, ScanInterrupted
from nastui.records import Address, Int64
from nastui.store.ablation_writer import AblationWriter, StoredPoint
from nastui.store.reader import RunReader

DEFAULT_BATCH_SIZE = 32


@dataclass(frozen=True, slots=True)
class AblationProgress:
    """How many predictions of how many are made: images times the sets of units that are removed."""

    done: int
    total: int


OnProgress = Callable[[AblationProgress], None]


@dataclass(frozen=True, slots=True)
class Execution:
    """How an ablation is carried out, which does not change what comes out.

    `force` replaces results of the same orders on other images. `command`: how it was asked for, kept in the run.
    `should_stop` is asked after every forward pass.
    """

    batch_size: int = DEFAULT_BATCH_SIZE
    workers: int | None = None
    device: str = "auto"
    force: bool = False
    command: str = "nastui.engine.ablation in Python"
    on_progress: OnProgress = lambda progress: None
    should_stop: Callable[[], bool] = lambda: False


def ablate_layer(
    path: Path,
    address: Address,
    options: AblationOptions | None = None,
    anew: Anew | None = None,
    execution: Execution | None = None,
) -> tuple[AblationCurve, ...]:
    """Test the model of a finished run as more and more units of a layer are removed, in several orders; see
    `plan_orders`. The results are written into the run.

    What is there already is not computed again, so the same call goes on after a stop. `anew`: see `rebuild`.
    Raises UsageError for what cannot be removed or tested, what `rebuild` raises, and ScanInterrupted when stopped.
    """
    with AblationWriter(path) as writer, RunReader(path) as run:
        layer = find_layer(run, address)
        orders = plan_orders(run, layer, options or AblationOptions())
        _carry_out(orders, writer, run, anew, execution or Execution())
    bases = {order.layer.basis for order in orders}
    with RunReader(path) as run:
        removal = orders[0].stored.removal
        return tuple(one for one in run.ablations(layer) if one.basis in bases and one.removal == removal)


def ablate_unit(
    path: Path,
    address: Address,
    options: AblationOptions | None = None,
    anew: Anew | None = None,
    execution: Execution | None = None,
) -> UnitCost:
    """Test the model of a finished run without one unit; see `plan_unit`, else as `ablate_layer`."""
    with AblationWriter(path) as writer, RunReader(path) as run:
        layer, unit = find_layer(run, address), address.unit or 0
        order = plan_unit(run, layer, unit, options or AblationOptions())
        _carry_out([order], writer, run, anew, execution or Execution())
    with RunReader(path) as run:
        cost = run.unit_cost(layer, unit, order.stored.removal)
    assert cost is not None
    return cost


def _carry_out(
    orders: Sequence[Order], writer: AblationWriter, run: RunReader, anew: Anew | None, execution: Execution
) -> None:
    """Make the predictions that are not in the file yet. Where all are, the model is not even built."""
    stored = [order.stored for order in orders]
    if writer.has_all(stored, force=execution.force):
        return
    with answering(run, anew, execution.device) as (rebuilt, device):
        layer = rebuilt.capture_layer(run.layer(orders[0].layer.path), device)
        editor = LayerEditor(rebuilt.model.module, layer, parse_reduction(rebuilt.spec.reduction))
        points = writer.begin(stored, execution.command, library_versions())
        conditions = _conditions(EditMaker(run, orders, device), orders, points)
        _Tests(run, rebuilt, editor, conditions, device).run(writer, execution)


@dataclass(frozen=True, slots=True)
class _Condition:
    """What is done to the layer (None: nothing), and the points of all orders that come to the same."""

    edit: Edit | None
    points: list[StoredPoint]

    @property
    def n_done(self) -> int:
        return min(point.n_done for point in self.points)


def _conditions(maker: EditMaker, orders: Sequence[Order], points: Sequence[StoredPoint]) -> list[_Condition]:
    """What is still to be tested. All orders remove nothing at first, and some the same units in the end: that is one
    condition."""
    found: dict[object, _Condition] = {}
    for order in orders:
        pending = [point for point in points if point.order is order.stored and not point.is_complete]
        edits = maker.edits(order, [point.n_removed for point in pending])
        for point, edit in zip(pending, edits, strict=True):
            removed = frozenset(order.units[: point.n_removed].tolist())
            key = (order.layer.basis_id, removed) if removed else None
            found.setdefault(key, _Condition(edit if removed else None, [])).points.append(point)
    return list(found.values())


class _Tests:
    """The forward passes: each image is read once, and goes through the model once a condition."""

    def __init__(
        self,
        run: RunReader,
        rebuilt: Rebuilt,
        editor: LayerEditor,
        conditions: Sequence[_Condition],
        device: torch.device,
    ) -> None:
        self._path = run.info().path
        self._rebuilt = rebuilt
        self._editor = editor
        self._conditions = conditions
        self._device = device
        self._images: Int64 = np.flatnonzero(conditions[0].points[0].order.tested_on)
        outputs = np.array([-1 if one.output is None else one.output for one in run.classes()])
        self._outputs = outputs[run.image_table().class_id[self._images]]

    def run(self, writer: AblationWriter, execution: Execution) -> None:
        """A batch always begins at a multiple of its size, so that a stop changes no sum, and with it no answer."""
        first = min(condition.n_done for condition in self._conditions)
        total = sum(len(self._images) - condition.n_done for condition in self._conditions)
        n_made = 0
        loading = load_batches(
            self._rebuilt.source,
            [self._rebuilt.indices[image] for image in self._images],
            self._rebuilt.preprocessing,
            batch_size=execution.batch_size,
            first_image=first - first % execution.batch_size,
            workers=execution.workers,
        )
        with closing(loading), self._editor:
            for loaded in loading:
                inputs = self._inputs(loaded)
                for condition in self._conditions:
                    n_new = self._test(condition, loaded.first_image, inputs, writer)
                    if not n_new:
                        continue
                    n_made += n_new
                    execution.on_progress(AblationProgress(n_made, total))
                    if execution.should_stop() and n_made < total:
                        raise ScanInterrupted(
                            f"Stopped after {n_made:,} of {total:,} predictions; {self._path} keeps them.",
                            hint="The same command goes on from there.",
                        )

    def _inputs(self, loaded: LoadedBatch) -> Tensor:
        for image, result in zip(self._images[loaded.first_image :].tolist(), loaded.images, strict=False):
            if result.error is not None:
                source = self._rebuilt.source.key(self._rebuilt.indices[image])
                raise DataNotFound(
                    f"{source} could be read for the scan and cannot now: {result.error}",
                    hint="Put the image back as it was; what is tested so far is kept.",
                )
        assert loaded.inputs is not None
        return loaded.inputs.to(self._device)

    def _test(self, condition: _Condition, first: int, inputs: Tensor, writer: AblationWriter) -> int:
        """Test one batch; returns for how many of its images that was new."""
        last = first + len(inputs)
        n_new = last - max(first, condition.n_done)
        if n_new <= 0:
            return 0
        logits = self._editor.run(inputs, condition.edit).float().cpu().numpy()
        is_right = (logits.argmax(axis=1) == self._outputs[first:last]) & ~np.isnan(logits).any(axis=1)
        for point in condition.points:
            new = slice(max(point.n_done, first), last)
            writer.add(point, self._images[new], is_right[new.start - first :])
        return n_new
