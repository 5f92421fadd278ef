from __future__ import annotations

import urllib.error
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from nastui.engine.models import adopt_model, load_model
from nastui.errors import ModelNotFound, WeightsError

NET = """
from torch import nn

CLASSES = ("cat", "dog")

def net():
    return nn.Linear(4, 2)

def with_transform():
    return nn.Linear(4, 2), (lambda picture: picture)

def named():
    module = nn.Linear(4, 3)
    module.classes = ["a", "b", "c"]
    return module

def parallel():
    return nn.DataParallel(nn.Linear(4, 2))

def number():
    return 3

def broken():
    return nn.Linear("four", 2)

def needs(width):
    return nn.Linear(width, 2)

def leaves():
    raise SystemExit(2)
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.py"
    path.write_text(NET)
    return path


def test_a_torchvision_model_comes_with_its_transform_and_categories() -> None:
    model = load_model("torchvision:squeezenet1_1")
    assert not model.module.training
    assert model.is_random
    assert model.classes is not None
    assert (len(model.classes), model.classes[1]) == (1000, "goldfish")
    assert getattr(model.transform, "crop_size", None) == [224]
    assert model.input_channels == 3


def test_random_weights_are_the_same_every_time() -> None:
    torch.manual_seed(1)
    first = load_model("torchvision:squeezenet1_1").weights_sha256
    expected = torch.rand(1)
    torch.manual_seed(1)
    assert load_model("torchvision:squeezenet1_1").weights_sha256 == first
    assert torch.rand(1) == expected, "a person's own random numbers must not be disturbed"


def test_weights_with_another_number_of_outputs_build_the_model_with_as_many(tmp_path: Path) -> None:
    state = torchvision.models.squeezenet1_1(num_classes=7).state_dict()
    torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()}}, tmp_path / "w.pt")
    model = load_model("torchvision:squeezenet1_1", tmp_path / "w.pt")
    assert model.module(torch.zeros(1, 3, 64, 64)).shape == (1, 7)
    assert model.classes is None, "seven outputs are not ImageNet's"
    assert model.weights == str(tmp_path / "w.pt")


def test_a_published_file_brings_the_transform_of_its_own_weights(tmp_path: Path) -> None:
    weights = torchvision.models.ResNet50_Weights
    path = tmp_path / weights.IMAGENET1K_V1.url.rpartition("/")[2]
    torch.save(torchvision.models.resnet50().state_dict(), path)
    assert getattr(load_model("torchvision:resnet50", path).transform, "resize_size", None) == [256]
    path = path.rename(tmp_path / "mine.pt")
    assert getattr(load_model("torchvision:resnet50", path).transform, "resize_size", None) == [232]
    model = load_model("torchvision:resnet50@IMAGENET1K_V1", path)
    assert getattr(model.transform, "resize_size", None) == [256]


def test_unknown_torchvision_names_show_the_nearest() -> None:
    with pytest.raises(ModelNotFound, match="no classification model 'alexnt'") as caught:
        load_model("torchvision:alexnt")
    assert "alexnet" in caught.value.hint
    with pytest.raises(ModelNotFound) as caught:
        load_model("alexnet")
    assert caught.value.hint == "Did you mean torchvision:alexnet?"
    with pytest.raises(WeightsError, match="has no weights 'V9'") as weights:
        load_model("torchvision:alexnet@V9")
    assert weights.value.hint == "It has: DEFAULT, IMAGENET1K_V1."


def test_torchvision_s_own_weights_come_from_the_local_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    cached = tmp_path / "hub/checkpoints" / torchvision.models.SqueezeNet1_1_Weights.DEFAULT.url.rpartition("/")[2]
    cached.parent.mkdir(parents=True)
    state = torchvision.models.squeezenet1_1().state_dict()
    torch.save(state, cached)
    model = load_model("torchvision:squeezenet1_1@DEFAULT")
    assert torch.equal(model.module.state_dict()["classifier.1.bias"], state["classifier.1.bias"])
    assert (model.weights, model.is_random) == ("IMAGENET1K_V1", False)


def test_offline_says_where_the_file_has_to_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    with pytest.raises(WeightsError, match="no route to host") as caught:
        load_model("torchvision:squeezenet1_1@DEFAULT")
    assert f"{tmp_path}/hub/checkpoints" in caught.value.message
    assert "Fetch https://download.pytorch.org/models/squeezenet1_1" in caught.value.hint


def test_a_factory_gives_module_transform_and_names(net: Path) -> None:
    model = load_model(f"{net}:net")
    assert (model.classes, model.transform, model.module.training) == (("cat", "dog"), None, False)
    assert load_model(f"{net}:named").classes == ("a", "b", "c")
    assert callable(load_model(f"{net}:with_transform").transform)
    assert isinstance(load_model(f"{net}:parallel").module, nn.Linear)


def test_a_factory_may_stand_in_a_package_and_import_its_neighbours(
    net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "neighbour.py").write_text("from net import net as factory\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert isinstance(load_model("neighbour:factory").module, nn.Linear)
    (tmp_path / "other.py").write_text("import net\ndef factory():\n    return net.net()\n")
    assert isinstance(load_model(f"{tmp_path}/other.py:factory").module, nn.Linear)


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        ("number", "returned a int, not a torch.nn.Module"),
        ("broken", "net.py line 24: TypeError"),
        ("needs", "missing 1 required positional argument: 'width'"),
        ("leaves", "net.py line 30: SystemExit: 2"),
        ("CLASSES", "'CLASSES' in .* is a tuple, not a function"),
        ("nte", "has no 'nte'"),
    ],
)
def test_a_factory_that_fails_says_where_and_why(net: Path, factory: str, words: str) -> None:
    with pytest.raises(ModelNotFound, match=words):
        load_model(f"{net}:{factory}")


def test_a_misspelt_factory_shows_what_the_file_has(net: Path) -> None:
    with pytest.raises(ModelNotFound) as caught:
        load_model(f"{net}:nets")
    assert caught.value.hint.startswith("It has: net")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import no_such_package\n", "line 1: ModuleNotFoundError"),
        ("def net(:\n", "line 1: SyntaxError"),
        ("x = 1\nraise KeyError('lost')\n", "line 2: KeyError: 'lost'"),
    ],
)
def test_a_file_that_does_not_import_says_where_and_why(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(ModelNotFound, match=f"bad.py {words}"):
        load_model(f"{path}:net")


@pytest.mark.parametrize(
    "spec", ["nowhere.py:net", "no_such_package:net", "not a module:net", "nothing", ":net", "net:"]
)
def test_a_spec_that_names_nothing_says_so(spec: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        load_model(spec)
    assert caught.value.hint


def test_a_module_in_hand_is_taken_in_eval_mode() -> None:
    model = adopt_model(nn.Linear(4, 2).train(), classes=["a", "b"])
    assert (model.module.training, model.classes, model.weights) == (False, ("a", "b"), "")
    assert len(model.weights_sha256) == 64
    with pytest.raises(ModelNotFound, match=r"output names of .* are a str"):
        adopt_model(nn.Linear(4, 2), classes="ab")
