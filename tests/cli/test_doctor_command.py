"""`nastui doctor MODEL DATA` as a person runs it, and its page in the documentation."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nastui.cli import execute, nastui
from nastui.commands.doctor import NOT_FOR_DOCTOR
from nastui.engine.inspection.finding import CHECKS
from nastui.engine.scan import scan
from nastui.errors import ScanInterrupted

NET = """
import torch
from tests.engine.faulty_networks import Network, Tones

CLASSES = Tones.classes


def model():
    return Network()


def transformed():
    from torchvision.transforms import Compose, RandomCrop, ToTensor

    return Network(), Compose([RandomCrop(8), ToTensor()])


def processed():
    class Processor:
        def __call__(self, picture):
            from torchvision.transforms.functional import to_tensor

            return to_tensor(picture)

        def __repr__(self):
            return '{"do_resize": true, "crop_size": null, "size": {"height": 12, "width": 12}}'

    return Network(), Processor()


class Images(Tones):
    def __getitem__(self, index):
        import time

        time.sleep({delay})
        return super().__getitem__(index)
"""

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")


def arguments(folder: Path, model: str = "model", *, delay: float = 0) -> list[str]:
    (folder / "net.py").write_text(NET.replace("{delay}", str(delay)))
    return ["doctor", f"{folder}/net.py:{model}", f"{folder}/net.py:Images", "--device", "cpu"]


def test_it_says_model_images_layers_findings_forecast_and_the_next_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute([*arguments(tmp_path), "--layers", "conv,head", "--mean", "0.5"]) == 0
    said = capsys.readouterr().out
    assert "40 images of 2 classes, 20 each" in said
    assert "130 parameters, 2 outputs with names" in said
    assert re.search(r"^  conv +Conv2d +4×10×10 +4 +800$", said, re.MULTILINE)
    assert "3 more could be: --all-layers" in said
    assert re.search(r"^  file +\d+", said, re.MULTILINE)
    command = shlex.split(said.splitlines()[-1])
    assert command[:2] == ["nastui", "scan"]
    assert command[-2:] == ["--out", "model.nas.db"]

    out = tmp_path / "model.nas.db"
    assert execute([*command[1:-1], str(out)]) == 0
    with_run = capsys.readouterr().out
    assert with_run == f"{out}\n"


def test_a_transform_is_written_over_lines_and_a_processor_without_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(arguments(tmp_path, "transformed")) == 0
    said = capsys.readouterr().out
    assert "\n  go in as 3×8×8: the model's own transform, channels RGB\n    Compose(\n        RandomCrop(" in said
    assert execute(arguments(tmp_path, "processed")) == 0
    assert "\n    do_resize True, size height 12 width 12\n" in capsys.readouterr().out


def test_json_holds_all_layers_and_the_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([*arguments(tmp_path, "transformed"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {layer["address"]: layer["is_captured"] for layer in found["layers"]} == {
        "conv": True,
        "norm": False,
        "relu": False,
        "drop": False,
        "head": True,
    }
    assert "random-transform" in [finding["check"] for finding in found["findings"]]
    assert found["forecast"]["file_bytes"] > 700_000
    assert found["images"]["classes"] == {"dark": 20, "light": 20}


def test_the_next_command_has_what_the_findings_mend(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = ["--mean", "123.675,116.28,103.53", "--std", "58.395,57.12,57.375", "--seed", "3"]
    assert execute([*arguments(tmp_path), *wrong]) == 0
    *_, note, last = capsys.readouterr().out.splitlines()
    assert note == "  with --mean, --std as the findings say, not as given:"
    words = shlex.split(last)
    assert words[6:10] == ["--device", "cpu", "--seed", "3"]
    assert words[10:] == ["--mean=0.485,0.456,0.406", "--std=0.229,0.224,0.225", "--out", "model.nas.db"]


def test_the_next_command_writes_over_nothing_and_goes_on_with_what_has_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = arguments(tmp_path)

    def after(*more: str) -> list[str]:
        assert execute([*asked, *more]) == 0
        return capsys.readouterr().out.splitlines()[-2:]

    Path("model.nas.db").write_text("something else")
    heading, last = after()
    assert heading == "next"
    assert last.endswith(" --out model-2.nas.db")

    with pytest.raises(ScanInterrupted):
        scan(asked[1], asked[2], out="model-2.nas.db", device="cpu", batch_size=8, should_stop=lambda: True)
    heading, last = after()
    assert heading == "  goes on with the unfinished scan in model-2.nas.db:"
    assert last.endswith(" --out model-2.nas.db")
    assert after("--layers", "conv")[1].endswith(" --out model-3.nas.db")  # that is another scan

    assert execute(shlex.split(last)[1:]) == 0
    capsys.readouterr()
    assert after()[1].endswith(" --out model-3.nas.db")


def test_of_several_checkpoints_one_must_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(12):
        (tmp_path / f"epoch{number}.pt").touch()
    asked = [*arguments(tmp_path), "--weights", f"{tmp_path}/epoch*.pt"]
    assert execute(asked) == 2
    said = capsys.readouterr().err
    assert "epoch*.pt matches 12 files" in said
    assert f"Name one of them:\n  {tmp_path}/epoch0.pt\n  {tmp_path}/epoch1.pt\n" in said
    assert "… and 8 more" in said
    assert execute([*asked[:-1], f"{tmp_path}/epoch1[01].pt"]) == 2
    capsys.readouterr()
    assert execute([*asked[:-1], f"{tmp_path}/epoch[9].pt"]) == 3  # one file, and it is empty
    assert "epoch9.pt" in capsys.readouterr().err


def test_what_a_scan_would_refuse_ends_in_the_same_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([*arguments(tmp_path), "--layers", "convolution"]) == 3
    assert "No layer matches 'convolution'." in capsys.readouterr().err
    assert execute([*arguments(tmp_path), "--mean", "1,2"]) == 2
    assert execute(["doctor", "torchvision:alexnet"]) == 2
    assert "Write nastui doctor MODEL DATA." in capsys.readouterr().err
    assert execute(["doctor", "--layers", "conv"]) == 2


def test_a_factory_that_knows_nothing_is_asked_for_its_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute([*arguments(tmp_path), "--json"]) == 0
    (found,) = [one for one in json.loads(capsys.readouterr().out)["findings"] if one["level"] == "warning"]
    assert found["check"] == "one-answer"
    assert found["advice"].startswith("No --weights were given. ")


def test_ctrl_c_ends_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "nastui", *arguments(tmp_path, delay=1), "--workers", "1"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={"TMPDIR": str(temporary)}
    ) as process:
        deadline = time.monotonic() + 60
        while not list(temporary.glob("*/*.db")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, talk = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (out, list(temporary.glob("nastui*"))) == ("", [])
    assert "error: Stopped." in talk
    assert "Traceback" not in talk


def test_the_doctor_has_the_options_of_the_scan() -> None:
    of_scan = {param.name for param in nastui.commands["scan"].params}
    of_doctor = {param.name for param in nastui.commands["doctor"].params}
    assert of_scan - of_doctor == NOT_FOR_DOCTOR & of_scan - {"model", "data"}


def test_the_page_has_every_finding_with_its_level() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \|", PAGE, re.MULTILINE)
    assert dict(rows) == dict(CHECKS)
    assert len(rows) == len(CHECKS)
