"""What counts as a change of the sources."""

import os

import pytest

from covet.server.watcher import Watcher


@pytest.fixture
def watcher(tmp_path, monkeypatch):
    monkeypatch.setattr("covet.server.watcher.WALK_EVERY", 0.0)
    monkeypatch.setattr("covet.server.watcher.REST", 0)
    (tmp_path / "main.py").write_text("x = 1\n")
    for folder in (".venv", "node_modules", "__pycache__", "env of mine", "skip"):
        (tmp_path / folder).mkdir()
    (tmp_path / "env of mine" / "pyvenv.cfg").write_text("")
    return Watcher([str(tmp_path)], ["*.py"], ["skip"])


def touch(path, text=""):
    path.write_text(text)
    os.utime(path, ns=(1, 1))


def test_nothing_changed(watcher):
    assert watcher.changed() is None


def test_an_edit_is_seen_once(watcher, tmp_path):
    touch(tmp_path / "main.py")
    assert watcher.changed() == str(tmp_path / "main.py")
    assert watcher.changed() is None


def test_a_new_file_and_a_removed_one_are_seen(watcher, tmp_path):
    touch(tmp_path / "new.py")
    assert watcher.changed() == str(tmp_path / "new.py")
    (tmp_path / "new.py").unlink()
    assert watcher.changed() == str(tmp_path / "new.py")


@pytest.mark.parametrize("folder", [".venv", "node_modules", "__pycache__", "env of mine", "skip"])
def test_other_peoples_folders_are_skipped(watcher, tmp_path, folder):
    touch(tmp_path / folder / "new.py")
    assert watcher.changed() is None


def test_other_files_are_skipped(watcher, tmp_path):
    touch(tmp_path / "notes.txt")
    assert watcher.changed() is None


def test_it_rests_after_a_look(watcher, tmp_path, monkeypatch):
    monkeypatch.setattr("covet.server.watcher.REST", 1e9)
    assert watcher.changed() is None
    touch(tmp_path / "main.py")
    assert watcher.changed() is None
