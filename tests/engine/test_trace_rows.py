"""Which rows of a tensor are the images: told by one image twice, and by a third where that is in doubt."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from nastui.engine.trace import trace_calls
from tests.engine.faulty_networks import Network


class TwoTokensFirst(nn.Module):
    """Two halves of an image as tokens, which come before the images; and two rows that have no images at all."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(12, 5)
        self.turn = nn.Identity()
        self.table = nn.Embedding(2, 5)
        self.head = nn.Linear(5, 3)

    def forward(self, images: Tensor) -> Tensor:
        halves = self.embed(images.reshape(len(images), 2, 12))
        tokens = self.turn(halves.transpose(0, 1)) + self.table(torch.arange(2))[:, None]
        logits: Tensor = self.head(tokens.mean(0))
        return logits


@pytest.mark.parametrize("are_alike", [True, False], ids=["as in a scan", "any two images"])
def test_two_rows_that_are_not_the_two_images_of_the_example_are_refused(are_alike: bool) -> None:
    torch.manual_seed(0)
    one = torch.rand(1, 24)
    example = torch.cat([one, one if are_alike else torch.rand(1, 24)])
    calls = {call.path: call for call in trace_calls(TwoTokensFirst().eval(), example).calls}
    assert calls["turn"].refusal.startswith("returns shape (2, 3, 5), which has no row per image, or the images second")
    assert calls["table"].refusal == "returns shape (2, 5), which has no row per image"
    assert [(path, call.shape) for path, call in calls.items() if not call.refusal] == [
        ("embed", (2, 5)),
        ("head", (3,)),
    ]


def test_a_sound_model_is_traced_by_one_pass() -> None:
    module, passes = Network().eval(), []
    module.register_forward_pre_hook(lambda _module, inputs: passes.append(len(inputs[0])))
    trace_calls(module, torch.rand(1, 3, 8, 8).expand(2, -1, -1, -1))
    assert passes == [2]


def test_a_model_that_takes_two_images_alone_is_traced_all_the_same() -> None:
    module = TwoTokensFirst().eval()

    def refuse(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if len(inputs[0]) != 2:
            raise ValueError("two images, please")

    module.register_forward_pre_hook(refuse)
    assert [call.path for call in trace_calls(module, torch.rand(2, 24)).calls] == ["embed", "turn", "table", "head"]
