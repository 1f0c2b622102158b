"""The Verilog does not depend on the user's Yosys, nor on a home folder."""

import os
from pathlib import Path

import pytest

from hw.verilog import export, yosys


@pytest.mark.slow
def test_the_same_verilog_whatever_yosys_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = export.router_verilog()
    monkeypatch.setenv("AMARANTH_USE_YOSYS", "system")
    monkeypatch.setenv("YOSYS", "/no/such/program")
    before = dict(os.environ)
    assert export.router_verilog() == expected
    assert dict(os.environ) == before


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="elsewhere the cache has another place")
@pytest.mark.parametrize("home", ["/dev/null", "relative"])
def test_without_a_home_yosys_has_a_cache_for_a_while(
    home: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", home)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    with yosys.builtin():
        folder = Path(os.environ["XDG_CACHE_HOME"])
        assert folder.is_dir()
    assert not folder.exists()
    assert "XDG_CACHE_HOME" not in os.environ


def test_where_a_cache_can_be_made_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "new"))
    with yosys.builtin():
        assert os.environ["XDG_CACHE_HOME"] == str(tmp_path / "new")
