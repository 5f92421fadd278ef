from __future__ import annotations

import pickle
import re
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nastui.engine.weights import file_sha256, fit_state_dict, read_state_dict, state_sha256
from nastui.errors import WeightsError


def small(n_outputs: int = 2) -> nn.Sequential:
    torch.manual_seed(n_outputs)
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 3, 3), bn=nn.BatchNorm2d(3), head=nn.Linear(3, n_outputs)))


def prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in state.items()}


STATE = small().state_dict()


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"state_dict": STATE, "epoch": 3},
        {"model_state_dict": prefixed(STATE, "module."), "optimizer": {"lr": 0.1}},
        {"model": {"state_dict": prefixed(STATE, "_orig_mod.")}},
        {"net": prefixed(STATE, "module._orig_mod.")},
        {"epoch": 1, "state_dict": {f"{n.split('.')[0]}._orig_mod.{n.split('.')[1]}": v for n, v in STATE.items()}},
        {name: value for name, value in STATE.items() if "num_batches_tracked" not in name},
    ],
    ids=["plain", "state_dict", "DataParallel", "compiled", "both", "compiled inside", "before torch 0.4.1"],
)
def test_wrappers_are_undone(tmp_path: Path, content: dict[str, object]) -> None:
    torch.save(content, tmp_path / "w.pt")
    module = small(2)
    nn.init.zeros_(module.get_parameter("head.weight"))
    fit_state_dict(module, read_state_dict(tmp_path / "w.pt"))
    assert torch.equal(module.get_parameter("head.weight"), STATE["head.weight"])


def test_a_model_that_has_the_wrapper_s_name_itself_keeps_it(tmp_path: Path) -> None:
    wrapped = nn.Sequential(OrderedDict(module=small()))
    fit_state_dict(wrapped, prefixed(STATE, "module."))
    assert torch.equal(wrapped.state_dict()["module.head.weight"], STATE["head.weight"])


def test_half_precision_loads_into_single() -> None:
    module = small()
    fit_state_dict(module, {name: value.half() for name, value in STATE.items()})
    loaded = module.get_parameter("head.weight")
    assert loaded.dtype == torch.float32
    assert torch.equal(loaded, STATE["head.weight"].half().float())


def test_a_misfit_is_shown_as_a_short_diff_and_changes_nothing() -> None:
    module = small(5)
    before = state_sha256(module)
    state = {name: value for name, value in STATE.items() if not name.startswith("conv")}
    state |= {f"extra.{n}": torch.zeros(1) for n in range(9)}
    with pytest.raises(WeightsError) as caught:
        fit_state_dict(module, state, path="w.pt")
    assert caught.value.message.splitlines() == [
        "w.pt does not fit the model.",
        "  2 missing from the file: conv.weight, conv.bias",
        "  9 not in the model: extra.0, extra.1, extra.2, extra.3, extra.4, extra.5, … 3 more",
        "  2 of another shape: head.weight: 2×3 in the file, 5×3 in the model, "
        "head.bias: 2 in the file, 5 in the model",
    ]
    assert state_sha256(module) == before


def test_a_prefix_of_ones_own_is_named_but_not_guessed_away() -> None:
    with pytest.raises(WeightsError) as caught:
        fit_state_dict(small(), prefixed(STATE, "backbone."))
    assert caught.value.hint == "Without the prefix 'backbone.' 9 of the file's 9 names would fit."


class Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("/nonexistent/touched"),)  # type: ignore[return-value]


@pytest.mark.parametrize("protocol", [2, 4], ids=["GLOBAL", "STACK_GLOBAL"])
def test_a_pickle_with_code_is_named_and_not_run(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps({"state_dict": Runs()}, protocol=protocol))
    with pytest.raises(WeightsError, match=r"wants to run code when it is loaded: .*(Path\.touch|getattr)") as caught:
        read_state_dict(path)
    assert "If you trust who made it" in caught.value.hint


def test_a_whole_pickled_module_says_how_to_keep_only_its_weights(tmp_path: Path) -> None:
    torch.save(small(), tmp_path / "whole.pt")
    with pytest.raises(WeightsError, match=r"torch\.nn\.modules\.container\.Sequential") as caught:
        read_state_dict(tmp_path / "whole.pt")
    code = re.search(r'python -c "(.*)"', caught.value.hint)
    assert code is not None
    exec(code[1].replace("'weights.pt'", f"'{tmp_path / 'weights.pt'}'"))
    assert read_state_dict(tmp_path / "weights.pt").keys() == STATE.keys()


def test_a_checkpoint_with_a_numpy_number_names_it(tmp_path: Path) -> None:
    torch.save({"state_dict": STATE, "accuracy": np.float64(0.9)}, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match="numpy"):
        read_state_dict(tmp_path / "w.pt")


def test_files_that_are_no_checkpoints_say_so(tmp_path: Path) -> None:
    good = tmp_path / "good.pt"
    torch.save(STATE, good)
    contents = {
        "cut.pt": (good.read_bytes()[:-500], "a zip archive that is cut short"),
        "empty.pt": (b"", "empty"),
        "text.pt": (b"hello world\n", "a text file"),
        "zero.pt": (bytes(999), "of no kind that nastui knows"),
        "lfs.pt": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "a Git LFS pointer"),
        "page.pt": (b"\n<!DOCTYPE html><html>Sign in</html>", "a web page"),
        "net.h5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file"),
    }
    for name, (content, words) in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(WeightsError, match=f"{re.escape(name)} is {words}.*, not a PyTorch checkpoint"):
            read_state_dict(tmp_path / name)
    (tmp_path / "folder.pt").mkdir()
    with pytest.raises(WeightsError, match="is a folder, not a weights file"):
        read_state_dict(tmp_path / "folder.pt")


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9])
def test_a_file_that_is_cut_short_says_so_wherever_it_was_cut(tmp_path: Path, share: float) -> None:
    torch.save({"weight": torch.randn(300, 300)}, tmp_path / "w.pt")
    whole = (tmp_path / "w.pt").read_bytes()
    (tmp_path / "w.pt").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(WeightsError, match="cut short"):
        read_state_dict(tmp_path / "w.pt")


def test_weights_under_an_unusual_key_are_pointed_at_and_the_advice_takes_them_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"epoch": 3, "my_net": STATE}, "w.pt")
    with pytest.raises(WeightsError, match="its keys: 'epoch', 'my_net'") as caught:
        read_state_dict(Path("w.pt"))
    code = re.search(r'python -c "(.*)"', caught.value.hint)
    assert code is not None
    exec(code[1])
    assert read_state_dict(Path("weights.pt")).keys() == STATE.keys()


def test_missing_and_empty_weights_say_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="There is no weights file"):
        read_state_dict(tmp_path / "nowhere.pt")
    torch.save({"epoch": 3, "loss": 0.1}, tmp_path / "log.pt")
    with pytest.raises(WeightsError, match="holds no weights; its keys: 'epoch', 'loss'"):
        read_state_dict(tmp_path / "log.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(WeightsError, match="holds a list"):
        read_state_dict(tmp_path / "list.pt")
    (tmp_path / "w.safetensors").write_bytes(b"")
    with pytest.raises(WeightsError, match="safetensors"):
        read_state_dict(tmp_path / "w.safetensors")


def test_hashes_tell_weights_apart_and_are_stable(tmp_path: Path) -> None:
    assert state_sha256(small()) == state_sha256(small())
    changed = small()
    with torch.no_grad():
        changed.get_parameter("head.bias")[0] += 1e-7
    assert state_sha256(changed) != state_sha256(small())
    assert state_sha256(small().half()) != state_sha256(small())
    (tmp_path / "abc").write_bytes(b"abc")
    # The example of FIPS 180-2, appendix B.1.
    assert file_sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
