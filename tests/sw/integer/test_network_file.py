"""The integer network as a file: what goes in comes out, and nothing else gets in."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from sw.common.errors import InputError
from sw.integer.network import IntegerNetwork
from sw.integer.network_file import load, save
from tests.support.networks import random_network

MARK = "nc64c-network-1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A good network file."""
    file = tmp_path / "network.safetensors"
    save(file, random_network(1))
    return file


def _same(first: IntegerNetwork, second: IntegerNetwork) -> bool:
    pairs = zip(first.layers, second.layers, strict=True)
    same_layers = all(
        np.array_equal(getattr(a, field.name), getattr(b, field.name))
        for a, b in pairs
        for field in fields(a)
    )
    names = [field.name for field in fields(first) if field.name != "layers"]
    return same_layers and all(getattr(first, name) == getattr(second, name) for name in names)


@pytest.mark.parametrize("seed", range(5))
def test_there_and_back(tmp_path: Path, seed: int) -> None:
    network = random_network(seed, leak=None if seed % 2 else 3, weight_bits=1 + seed)
    save(tmp_path / "file", network)
    again = load(tmp_path / "file")
    assert _same(network, again)
    assert not _same(network, random_network(seed + 1))
    assert isinstance(again.layers[0].input_shape, tuple)


def test_the_same_network_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    save(tmp_path / "again", load(path))
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read network file .*/x: no such file"):
        load(tmp_path / "x")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read network file .*: is a directory"):
        load(tmp_path)


def test_truncated_anywhere(path: Path) -> None:
    data = path.read_bytes()
    for size in {*range(0, 40), *range(40, len(data), 97), len(data) - 1}:
        path.write_bytes(data[:size])
        sentence = "is truncated: it has" if size > 8 else "is not a network file"
        with pytest.raises(InputError, match=sentence):
            load(path)


def test_bytes_behind_the_end(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(InputError, match=r"network\.safetensors is damaged"):
        load(path)


@pytest.mark.parametrize(
    "content",
    [
        b"hello",
        b"\x80\x02}q\x00." * 9,
        (2**60).to_bytes(8, "little") + b"{" * 50,
        (3).to_bytes(8, "little") + b"{]}" * 9,
        (9000).to_bytes(8, "little") + b"[" * 9000,
        (9000).to_bytes(8, "little") + b'{"a":' * 1800,
        safetensors.numpy.save({"x": np.zeros(3)}),
        safetensors.numpy.save({"x": np.zeros(3)}, {"format": "pt"}),
        safetensors.numpy.save({"x": np.zeros(3)}, {MARK: "[1]"}),
        safetensors.numpy.save({"x": np.zeros(3)}, {"nc64c-checkpoint-1": "{}"}),
    ],
)
def test_foreign(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"network\.safetensors is not a network file"):
        load(path)


def test_a_huge_file_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sw.files.tensorfile.MAX_FILE_BYTES", 1000)
    with pytest.raises(InputError, match=r"has \d+ bytes, more than 1000"):
        load(path)


def _rewrite(path: Path, change: dict[str, Any], **tensors: np.ndarray[Any, Any] | None) -> None:
    """Change fields of the description ("layer": those of layer 1) and tensors; None: drop."""
    arrays = safetensors.numpy.load(path.read_bytes())
    header = json.loads(path.read_bytes()[8 : 8 + int.from_bytes(path.read_bytes()[:8], "little")])
    document = json.loads(header["__metadata__"][MARK])
    document["layers"][1] |= change.pop("layer", {})
    document |= change
    for name, array in tensors.items():
        key = name.replace("__", ".")
        arrays.pop(key, None)
        if array is not None:
            arrays[key] = array
    path.write_bytes(safetensors.numpy.save(arrays, {MARK: json.dumps(document)}))


def test_rewriting_nothing_changes_nothing(path: Path) -> None:
    _rewrite(path, {})
    assert _same(load(path), random_network(1))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"layers": 3}, "description is damaged"),
        ({"layers": [3]}, "description is damaged"),
        ({"layers": []}, "has an unknown tensor conv1.bias"),
        ({"classes": 3}, "description is damaged"),
        ({"classes": ["a"]}, "network.safetensors: layer fc5: has 3 outputs for 1 classes"),
        ({"timesteps": "4"}, "timesteps: is '4', must be an integer"),
        ({"encoding": "ttfs"}, "encoding 'ttfs': must be one of direct, rate, phase"),
        ({"layer": {"features": 10**9}}, "features: is 1000000000, must be an integer from 1"),
        ({"layer": {"features": 60_000}}, r"conv2.weights is I32 \[6, 4, 3, 3\], must be I32 \[60"),
        ({"layer": {"input_shape": 4}}, "description is damaged"),
        ({"layer": {"input_shape": [4, 8, -8]}}, "input shape: is -8"),
        ({"layer": {"leak": 1.5}}, "leak shift: is 1.5, must be an integer"),
        ({"layer": {"spiking": "yes"}}, "spiking and pool must be true or false"),
        ({"layer": {"reset": []}}, r"reset \[\]: must be one of zero, subtract, none"),
        ({"layer": {"name": "conv9"}}, "tensor conv2.bias|tensor conv9.bias"),
    ],
)
def test_a_wrong_description(path: Path, change: dict[str, Any], sentence: str) -> None:
    _rewrite(path, change)
    with pytest.raises(InputError, match=sentence) as caught:
        load(path)
    assert str(caught.value).count(str(path)) == 1


def test_wrong_tensors(path: Path) -> None:
    good = path.read_bytes()
    weights = random_network(1).layers[1].weights
    for array, sentence in (
        (None, "network.safetensors: lacks tensor conv2.weights"),
        (weights.astype(np.int64), r"tensor conv2.weights is I64 .*, must be I32 \[6, 4, 3, 3\]"),
        (weights[:, :, :2], r"tensor conv2.weights is I32 \[6, 4, 2, 3\], must be"),
        (weights * 2, "layer conv2: weights must be odd integers from -15 to 15"),
    ):
        path.write_bytes(good)
        _rewrite(path, {}, conv2__weights=array)
        with pytest.raises(InputError, match=sentence):
            load(path)
    path.write_bytes(good)
    _rewrite(path, {}, conv7__weights=weights)
    with pytest.raises(InputError, match=r"has an unknown tensor conv7\.weights"):
        load(path)


def test_a_flipped_byte_gives_a_network_or_a_sentence(path: Path) -> None:
    """1000 damaged files, most of them in the header: no other exception, no half-read network."""
    data = path.read_bytes()
    header = int.from_bytes(data[:8], "little") + 8
    generator = np.random.default_rng(77)
    sentences = []
    for trial in range(1000):
        changed = bytearray(data)
        place = int(generator.integers(0, header if trial % 4 else len(data)))
        changed[place] ^= int(generator.integers(1, 256))
        path.write_bytes(changed)
        try:
            load(path)
        except InputError as error:
            sentences.append(str(error))
    assert len(sentences) > 500
    assert all(str(path) in sentence and "\n" not in sentence for sentence in sentences)


def test_a_reader_of_network_files_needs_no_torch() -> None:
    code = "import sys, sw.integer.network_file; sys.exit('torch' in sys.modules)"
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
