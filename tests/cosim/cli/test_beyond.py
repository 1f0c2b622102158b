"""What is too large, nested too deeply or written by a newer version: one sentence and exit 2."""

import json
from pathlib import Path
from typing import Any

import pytest

from cosim.record import record
from sw.common.checks import MAX_SHOWN, shown
from sw.common.errors import InputError
from sw.files import tensorfile
from sw.files.paths import DIGITS_CHECKPOINT
from sw.integer import network_file
from sw.integer.fold import fold
from sw.paper import presets
from sw.train import checkpoint
from tests.support.cli import nc64c, small_checkpoint
from tests.support.records import changed, make_run
from tests.support.subjects import make_networks

DIGITS_5000 = "9" * 5000  # Python turns 4300 into a number
OPTIONS = (
    ("cosim", "--out", "out", "--images"),
    ("cosim", "--out", "out", "--golden-images"),
    ("cosim", "--out", "out", "--jobs"),
    ("cosim", "--out", "out", "--sets"),
    ("cosim", "--out", "out", "--seed"),
    ("map", "--axons"),
    ("map", "--dendrites"),
    ("map", "--mesh"),
    ("noise", "--out", "out", "--bits"),
    ("attack", "--out", "out.safetensors", "--images"),
    ("robustness", DIGITS_CHECKPOINT, "--images"),
    ("robustness", DIGITS_CHECKPOINT, "--threads"),
    ("robustness", DIGITS_CHECKPOINT, "--eps"),
    ("train", "--out", "out.safetensors", "--threads"),
    ("train", "--out", "out.safetensors", "--epochs"),
    ("train", "--out", "out.safetensors", "--features"),
    ("paper", "table1", "--out", "out", "--jobs"),
    ("bench", "train", "--threads"),
    ("bench", "train", "--batch"),
    ("bench", "train", "--steps"),
    ("bench", "rtl", "--seed"),
    ("bench", "all", "--repeats"),
)


@pytest.mark.slow
@pytest.mark.parametrize("number", ["1" + "0" * 19, "9" * 4000, DIGITS_5000], ids=len)
@pytest.mark.parametrize("arguments", OPTIONS, ids=lambda arguments: " ".join(map(str, arguments)))
def test_huge_numbers_in_options(
    arguments: tuple[object, ...], number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = nc64c(*arguments, number)
    assert result.exit_code == 2, repr(result.exception)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [("train", "--out", "x"), ("bench", "train")], ids=" ".join)
def test_more_threads_than_any_machine_has(command: tuple[str, ...]) -> None:
    assert nc64c(*command, "--threads", "100000").exit_code == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"epochs = {DIGITS_5000}", "too many digits"),
        (f"epochs = 0x{'f' * 5000}", "epochs: is very large"),
        (f"rate = 0x{'f' * 5000}", "rate: is very large, must be smaller"),
        (f"width = {'[' * 5000}{']' * 5000}", "nested too deeply"),
        (f"epochs = '{'x' * 5000}'", "epochs: is 'xxx"),
    ],
    ids=["decimal", "hexadecimal", "a float", "nested", "long"],
)
def test_what_is_too_much_for_a_config(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=sentence) as caught:
        presets.load("cpu", path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 2 * MAX_SHOWN


def test_a_byte_order_mark_before_a_config_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbfepochs = 3\n")
    assert presets.load("cpu", path).epochs == 3


def test_long_values_are_cut_in_sentences() -> None:
    assert shown("short") == "'short'"
    assert len(shown("x" * 1000)) == MAX_SHOWN + 3
    assert shown(1 << 20_000) == "very large"


# ---------------------------------------------------------------- newer versions
def rewritten(path: Path, before: bytes, after: bytes) -> Path:
    """A file with a piece changed for one of the same length."""
    content = path.read_bytes()
    assert len(before) == len(after)
    assert content.count(before) == 1
    path.write_bytes(content.replace(before, after))
    return path


def with_document(path: Path, form: tensorfile.Format, change: Any) -> Path:
    """A safetensors file whose description was changed."""
    from safetensors import safe_open

    document = tensorfile.read_document(path, form)
    change(document)
    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    tensorfile.write(path, form, document, tensors)
    return path


def test_a_checkpoint_of_a_newer_version(tmp_path: Path) -> None:
    path = small_checkpoint(tmp_path)
    rewritten(path, b"nc64c-checkpoint-1", b"nc64c-checkpoint-2")
    result = nc64c("map", "--checkpoint", path)
    assert result.exit_code == 2
    assert f"checkpoint {path} has version 2, this program reads 1" in result.stderr


@pytest.mark.parametrize("part", ["network", "training", None])
def test_a_checkpoint_with_a_newer_setting(part: str | None, tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        (document if part is None else document[part])["attention"] = 1

    path = with_document(small_checkpoint(tmp_path), checkpoint.FORMAT, change)
    with pytest.raises(InputError, match="setting 'attention', which this program does not know"):
        checkpoint.load(path)


def test_a_network_file_of_a_newer_version(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    network_file.save(path, fold(make_networks().quantised_network))
    content = path.read_bytes()
    rewritten(path, b"nc64c-network-1", b"nc64c-network-9")
    with pytest.raises(InputError, match=f"network file {path} has version 9"):
        network_file.load(path)
    path.write_bytes(content)
    with_document(path, network_file.FORMAT, lambda document: document["layers"][0].update(delay=2))
    with pytest.raises(InputError, match="setting 'delay', which this program does not know"):
        network_file.load(path)


@pytest.mark.parametrize(
    ("version", "what_to_do"),
    [
        (record.VERSION + 1, "use the version of nc64c that wrote it"),
        (record.VERSION - 1, "run nc64c cosim again"),
    ],
)
def test_a_run_of_another_version(version: int, what_to_do: str, tmp_path: Path) -> None:
    record.save(tmp_path, changed(make_run(), {"version": version}))
    result = nc64c("report", tmp_path)
    assert result.exit_code == 2
    assert f"has version {version}, this program reads {record.VERSION}" in result.stderr
    assert what_to_do in result.stderr


@pytest.mark.parametrize("text", ['{"version": ' + DIGITS_5000 + "}", "[" * 10**5])
def test_too_much_json_for_a_run(text: str, tmp_path: Path) -> None:
    (tmp_path / record.RUN_FILE).write_text(text)
    result = nc64c("report", tmp_path)
    assert (result.exit_code, "is damaged or no JSON" in result.stderr) == (2, True)


def test_an_infinite_size_in_a_header(tmp_path: Path) -> None:
    path = tmp_path / "endless.safetensors"
    entry = '{"dtype":"F32","shape":[1],"data_offsets":[0,1e999]}'
    mark = checkpoint.FORMAT.mark
    header = f'{{"__metadata__":{{"{mark}":{json.dumps("{}")}}},"a":{entry}}}'.encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(InputError, match="is not a checkpoint"):
        checkpoint.load(path)
