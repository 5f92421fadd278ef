from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from nastui.engine.layers import Selection, select_layers
from nastui.engine.reduction import Reduction
from nastui.engine.trace import trace_calls
from nastui.errors import LayerNotFound, ScanError, UnsupportedOutput
from tests.engine.networks import Awkward, ByHand


def select(patterns: str | list[str], reduction: Reduction = "max") -> Selection:
    trace = trace_calls(Awkward().eval(), torch.zeros(2, 3, 8, 8))
    return select_layers(trace, patterns, reduction)


def paths(selection: Selection) -> list[str]:
    return [layer.spec.path for layer in selection.layers]


def test_auto_takes_convolutions_and_linear_layers_in_the_order_of_the_computation() -> None:
    selection = select("auto")
    assert paths(selection) == ["conv1", "conv2", "project", "head"]
    assert [layer.spec.type for layer in selection.layers] == ["Conv2d", "Conv2d", "Linear", "Linear"]
    assert [layer.spec.shape for layer in selection.layers] == [(4, 8, 8), (4, 8, 8), (64, 6), (5,)]
    assert [layer.spec.n_units for layer in selection.layers] == [4, 4, 6, 5]
    assert [layer.spec.has_positions for layer in selection.layers] == [True, True, True, False]


def test_a_layer_that_is_never_called_is_said() -> None:
    assert select("auto").notes == (
        "Left out, since the model never calls it: spare.",
        "Left out, since nn.MultiheadAttention itself does their work (capture that): attention.out_proj.",
    )


def test_a_module_called_twice_is_two_layers_counted_from_one() -> None:
    assert paths(select("act")) == ["act#1", "act#2"]
    assert paths(select("act#2")) == ["act#2"]


def test_globs_cross_dots_and_may_be_given_as_list_or_with_commas() -> None:
    assert paths(select("conv*,head")) == ["conv1", "conv2", "head"]
    assert paths(select(["head", "c*2"])) == ["conv2", "head"]
    alexnet = models.alexnet(weights=None).eval()
    trace = trace_calls(alexnet, torch.zeros(2, 3, 64, 64))
    assert paths(select_layers(trace, "features.*", "max"))[:2] == ["features.0", "features.1"]
    assert len(paths(select_layers(trace, "auto", "max"))) == 8


def test_a_glob_passes_over_what_cannot_be_told_and_says_so() -> None:
    selection = select("a*")
    assert paths(selection) == ["act#1", "act#2", "attention[0]"]
    (note,) = (note for note in selection.notes if "attention[1]" in note)
    assert note.startswith("Layer attention[1] is left out: it returns 64×64")


def test_an_exact_name_of_what_cannot_be_told_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedOutput, match=r"Layer attention\[1\] \(MultiheadAttention\) cannot be captured"):
        select("attention[1]")


def test_an_activation_has_its_units_where_the_layer_before_it_has_them() -> None:
    (gelu,) = select("gelu").layers
    assert (gelu.spec.shape, gelu.spec.unit_dim, gelu.spec.n_units) == ((64, 6), 1, 6)


def test_a_pattern_without_match_lists_the_nearest_layers_with_type_and_shape() -> None:
    with pytest.raises(LayerNotFound, match="No layer matches 'conv3'") as raised:
        select(["head", "conv3"])
    assert "conv1" in raised.value.hint.splitlines()[1] or "conv2" in raised.value.hint.splitlines()[1]
    assert "Conv2d  4×8×8" in raised.value.hint


@pytest.mark.parametrize("nothing", ["", " , "])
def test_no_name_at_all_is_not_taken_for_the_usual_layers(nothing: str) -> None:
    with pytest.raises(LayerNotFound, match="No layer is named") as caught:
        select(nothing)
    assert "'auto'" in caught.value.hint


def test_a_long_list_of_candidates_is_cut() -> None:
    trace = trace_calls(models.resnet18(weights=None).eval(), torch.zeros(2, 3, 32, 32))
    with pytest.raises(LayerNotFound) as raised:
        select_layers(trace, "layer9.0.conv1", "max")
    assert len(raised.value.hint.splitlines()) < 16
    assert "layer1.0.conv1" in raised.value.hint
    assert "more" in raised.value.hint


def test_a_layer_named_but_never_called_is_not_called_missing() -> None:
    with pytest.raises(LayerNotFound, match="has 'spare' but never calls it"):
        select("spare")


def test_without_reduction_every_element_is_a_unit() -> None:
    layer = select("conv1", "none").layers[0]
    assert layer.spec.n_units == 4 * 8 * 8
    assert not layer.spec.has_positions


def test_images_that_the_model_does_not_take_are_said_with_their_shape() -> None:
    with pytest.raises(ScanError, match="3×8×8"):
        trace_calls(ByHand(), torch.zeros(2, 3, 8, 8))


def test_a_models_own_complaint_about_the_size_is_passed_on() -> None:
    vit = models.VisionTransformer(image_size=8, patch_size=4, num_layers=1, num_heads=1, hidden_dim=4, mlp_dim=4)
    with pytest.raises(ScanError, match="3×12×12: AssertionError: Wrong image height! Expected 8 but got 12!"):
        trace_calls(vit.eval(), torch.zeros(2, 3, 12, 12))


def test_a_choice_of_tokens_where_no_layer_has_any_is_said_to_do_nothing() -> None:
    trace = trace_calls(ByHand(), torch.zeros(2, 1, 4, 4))
    (note,) = select_layers(trace, "auto", "max", "class").notes
    assert note == "No layer that was chosen gives tokens: to ask for 'class' changes nothing."


class _Gives(nn.Module):
    """Two images of 1×4×4 in other rows than one each."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 1)
        self.shape = shape

    def forward(self, images: Tensor) -> Tensor:
        maps: Tensor = self.conv(images)
        return maps.reshape(self.shape) if self.shape else maps.mean()


@pytest.mark.parametrize("shape", [(), (32, 4), (1, 128)])
def test_an_output_without_a_row_per_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UnsupportedOutput, match="not one row an image"):
        trace_calls(_Gives(*shape), torch.zeros(2, 1, 4, 4))


def test_tracing_leaves_no_hooks_behind() -> None:
    model = ByHand()
    trace_calls(model, torch.zeros(2, 1, 4, 4))
    assert not any(module._forward_hooks for module in model.modules())


def test_many_layers_that_cannot_be_captured_are_said_in_a_few_lines() -> None:
    trace = trace_calls(models.googlenet(weights=None, init_weights=False).eval(), torch.zeros(2, 3, 64, 64))
    (note,) = select_layers(trace, "auto", "max").notes
    assert note == "Left out, since the model never calls it: aux1.conv.conv, aux1.fc1, aux1.fc2 and 3 more."
