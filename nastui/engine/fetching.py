"""What a device has computed, brought to the CPU without anybody waiting for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Fetched:
    """Tensors of one device on their way to the CPU. From a CUDA device they go as one block a dtype into pinned
    memory, while the device computes what was asked of it since; `arrays` waits for them."""

    def __init__(self, tensors: Sequence[Tensor], *, in_blocks: bool | None = None) -> None:
        """`in_blocks`: None is True for a CUDA device."""
        self._tensors = list(tensors)
        self._blocks: dict[torch.dtype, Tensor] = {}
        self._arrived: torch.cuda.Event | None = None
        is_cuda = any(tensor.is_cuda for tensor in tensors)
        if is_cuda if in_blocks is None else in_blocks:
            self._send(is_cuda)

    def _send(self, is_cuda: bool) -> None:
        for dtype in dict.fromkeys(tensor.dtype for tensor in self._tensors):
            block = torch.cat([tensor.flatten() for tensor in self._tensors if tensor.dtype == dtype])
            there = torch.empty(block.shape, dtype=dtype, pin_memory=is_cuda)
            self._blocks[dtype] = there.copy_(block, non_blocking=True)
        if is_cuda:
            self._arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._arrived.record()

    def arrays(self) -> list[NDArray[Any]]:
        """The tensors' values, in order. What comes from a block is a view of it."""
        if not self._blocks:
            return [tensor.cpu().numpy() for tensor in self._tensors]
        if self._arrived is not None:
            self._arrived.synchronize()
        blocks, used = {dtype: block.numpy() for dtype, block in self._blocks.items()}, dict.fromkeys(self._blocks, 0)
        found = []
        for tensor in self._tensors:
            start = used[tensor.dtype]
            used[tensor.dtype] = start + math.prod(tensor.shape)
            found.append(np.reshape(blocks[tensor.dtype][start : used[tensor.dtype]], tuple(tensor.shape)))
        return found
