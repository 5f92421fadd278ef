"""A model in hand is used where a person asks for it, and afterwards lies where it lay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import pytest
import torch
from torch import Tensor, nn

from nastui.engine.evaluation import choose_device, on_device
from nastui.errors import UsageError

CPU, ELSEWHERE = torch.device("cpu"), torch.device("meta")


class Travelling(nn.Linear):
    """Notes where it is sent, and stays: a machine without a GPU has nowhere else to go."""

    def __init__(self, *, refuses: bool = False) -> None:
        super().__init__(2, 2)
        self.places: list[torch.device] = []
        self.refuses = refuses

    def to(self, device: Any) -> Self:  # type: ignore[override]
        self.places.append(device)
        if self.refuses and device == ELSEWHERE:
            raise RuntimeError("out of memory")
        return self


def test_a_module_in_hand_goes_to_the_device_asked_for_and_back() -> None:
    module = Travelling()
    with on_device("meta", module, is_borrowed=True) as device:
        assert (device, module.places) == (ELSEWHERE, [ELSEWHERE])
    assert module.places == [ELSEWHERE, CPU]


def test_it_comes_back_from_a_scan_that_fails_too() -> None:
    module = Travelling()
    with pytest.raises(KeyboardInterrupt), on_device("meta", module, is_borrowed=True):
        raise KeyboardInterrupt
    assert module.places == [ELSEWHERE, CPU]


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_a_module_that_is_there_already_stays(name: str) -> None:
    module = Travelling()
    with on_device(name, module, is_borrowed=True) as device:
        assert device == CPU
    assert module.places == []


def test_a_module_built_for_the_scan_goes_there_for_good() -> None:
    module = Travelling()
    with on_device("meta", module, is_borrowed=False):
        pass
    assert module.places == [ELSEWHERE]


def test_a_device_without_room_for_the_model_is_said_and_the_model_comes_back() -> None:
    module = Travelling(refuses=True)
    with (
        pytest.raises(UsageError, match="cannot be moved to meta: out of memory"),
        on_device("meta", module, is_borrowed=True),
    ):
        pass
    assert module.places == [ELSEWHERE, CPU]


def test_a_model_spread_over_devices_is_used_where_it_is() -> None:
    class Spread(nn.Module):
        def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
            yield torch.empty(0, device=ELSEWHERE)

        def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
            yield nn.Parameter(torch.empty(0))

    for name in ("auto", "cpu", "meta"):
        with on_device(name, Spread(), is_borrowed=True) as device:
            assert str(device) == name.replace("auto", "cpu")
    with (
        pytest.raises(UsageError, match="lies on cpu and meta and would not get back there from meta:1"),
        on_device("meta:1", Spread(), is_borrowed=True),
    ):
        pass


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a second device: a GPU")
def test_weights_are_the_same_before_and_after_a_visit_to_the_gpu() -> None:
    module = nn.Linear(2, 2)
    weight = module.weight
    values = weight.detach().clone()
    with on_device("cuda", module, is_borrowed=True):
        assert weight.device.type == "cuda"
    assert module.weight is weight
    assert torch.equal(weight, values)


def test_a_misspelt_device_is_told_which_there_are() -> None:
    with pytest.raises(UsageError, match="'gpu' is no device") as caught:
        choose_device("gpu", nn.Linear(1, 1), is_borrowed=False)
    assert caught.value.hint.startswith("Write cpu, cuda, cuda:1 or mps")
