"""Finished pieces: found again, or known to be damaged."""

import json
from pathlib import Path

import pytest

from sw.common.errors import InputError
from sw.files.store import MAX_BYTES, Store, key

SETTINGS = {"kind": "piece", "seed": 3}
RESULT = {"spikes": [1, 2, 3], "share": 0.1}


def kept(folder: Path) -> tuple[Store, Path]:
    store = Store(folder / "pieces", "piece")
    store.save(SETTINGS, RESULT)
    return store, folder / "pieces" / f"{key(SETTINGS)}.json"


def test_the_folder_is_made_with_the_first_piece(tmp_path: Path) -> None:
    store = Store(tmp_path / "a" / "b", "piece")
    assert store.load(SETTINGS) is None
    assert list(tmp_path.iterdir()) == []
    store.save(SETTINGS, RESULT)
    assert store.load(SETTINGS) == RESULT
    assert store.load({**SETTINGS, "seed": 4}) is None


def test_settings_in_another_order_are_the_same() -> None:
    assert key(dict(reversed(SETTINGS.items()))) == key(SETTINGS)
    assert key({**SETTINGS, "seed": 4}) != key(SETTINGS)


def test_a_changed_byte_anywhere_is_noticed(tmp_path: Path) -> None:
    store, path = kept(tmp_path)
    whole = path.read_bytes()
    document = json.loads(whole)
    for place in range(len(whole)):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1
        path.write_bytes(spoilt)
        try:
            same = json.loads(bytes(spoilt)) == document  # white space means nothing
        except ValueError:
            same = False
        if same:
            assert store.load(SETTINGS) == RESULT
            continue
        with pytest.raises(InputError, match=f"piece {path} is damaged: "):
            store.load(SETTINGS)


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    store, path = kept(tmp_path)
    with path.open("ab") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InputError, match=f"holds more than {MAX_BYTES} bytes"):
        store.load(SETTINGS)


def test_no_folder_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot make output folder"):
        Store(tmp_path / "file" / "pieces", "piece").save(SETTINGS, RESULT)
