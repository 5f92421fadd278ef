"""Training the demo's network, the same way every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from nastui.engine.digits_net import digits_net
from nastui.engine.preprocessing import ResizeAndScale
from nastui.engine.sources import load_source
from nastui.errors import ScanInterrupted

N_EPOCHS = 20
_EPOCHS_BETWEEN = 4
_BATCH_SIZE = 64
_HIGHEST_RATE = 5e-3
_SEED = 0


def train_digits_net(
    folder: Path,
    *,
    on_epoch: Callable[[int, float], None],
    should_stop: Callable[[], bool] | None = None,
) -> tuple[Path, ...]:
    """Train on `digits:train` and save state dicts `digits_epochNN.pt` in `folder`: before training, then every four
    epochs. Returns their paths, the last one trained to the end.

    `on_epoch` gets the epochs done, from 0 on, and the accuracy on `digits:test`, which training does not see.
    Raises ScanInterrupted where `should_stop` says so after an epoch, OSError where the folder cannot be written.
    """
    images, labels = _load("digits:train")
    test_images, test_labels = _load("digits:test")
    with _repeatable():
        net = digits_net()
        steps = -(-len(images) // _BATCH_SIZE) * N_EPOCHS
        optimizer = torch.optim.AdamW(net.parameters(), weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _HIGHEST_RATE, total_steps=steps)
        checkpoints = [_save(net, folder, 0)]
        on_epoch(0, _accuracy(net, test_images, test_labels))
        for epoch in range(1, N_EPOCHS + 1):
            for chosen in _shuffled(len(images)):
                optimizer.zero_grad()
                torch.autograd.backward(nn.functional.cross_entropy(net(images[chosen]), labels[chosen]))
                optimizer.step()
                schedule.step()
            if epoch % _EPOCHS_BETWEEN == 0:
                checkpoints.append(_save(net, folder, epoch))
            on_epoch(epoch, _accuracy(net, test_images, test_labels))
            if should_stop is not None and should_stop():
                raise ScanInterrupted(
                    f"Stopped after {epoch} of {N_EPOCHS} epochs of training.", hint="The same command starts anew."
                )
    return tuple(checkpoints)


def _load(spec: str) -> tuple[Tensor, Tensor]:
    """All images (N, 1, 8, 8) in 0..1, as a scan gives them to the network, and their labels (N,)."""
    source = load_source(spec)
    preprocess = ResizeAndScale(None, (0.0,), (1.0,))
    images = [preprocess(source.load(index).picture) for index in range(len(source.labels))]
    return torch.stack(images), torch.tensor(source.labels)


@contextmanager
def _repeatable() -> Iterator[None]:
    """A fixed seed and one thread: sums over several threads differ in the last bits, and training magnifies that."""
    n_threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(n_threads)


def _shuffled(n_images: int) -> Iterator[Tensor]:
    order = torch.randperm(n_images)
    return (order[start : start + _BATCH_SIZE] for start in range(0, n_images, _BATCH_SIZE))


def _accuracy(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    with torch.inference_mode():
        return float((net(images).argmax(1) == labels).float().mean())


def _save(net: nn.Module, folder: Path, epoch: int) -> Path:
    path = folder / f"digits_epoch{epoch:02}.pt"
    draft = path.with_suffix(".new")
    torch.save(net.state_dict(), draft)
    draft.replace(path)
    return path
