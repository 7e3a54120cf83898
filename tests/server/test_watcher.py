"""What counts as a change of the sources: by the kernel's notices, and by looking."""

import os
import shutil
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covet.server.mounts import file_system, is_remote
from covet.server.watcher import Watcher

FOLDERS = (".venv", "node_modules", "__pycache__", "env of mine", "skip")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("covet.server.watcher.WALK_EVERY", 0.0)
    monkeypatch.setattr("covet.server.watcher.SHORTEST_REST", 0.0)
    monkeypatch.setattr("covet.server.watcher.REST", 0)
    (tmp_path / "main.py").write_text("x = 1\n")
    for name in FOLDERS:
        (tmp_path / name).mkdir()
    (tmp_path / "env of mine" / "pyvenv.cfg").write_text("")
    return tmp_path


@pytest.fixture(params=["notices", "looks"])
def watch(folder, request):
    """Return a function that makes a watcher of the folder and waits for what it finds."""

    def make(include=("*.py",), exclude=("skip",)):
        watcher = Watcher([str(folder)], include, exclude, poll=request.param == "looks")
        assert watcher.polls is (request.param == "looks")
        return watcher

    return make


def changes(watcher, seconds=5.0):
    """Ask until something has changed; return the names."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = watcher.changed()
        if found:
            return sorted(os.path.basename(path) for path in found)
        time.sleep(min(watcher.pause(), 0.01))
    return []


def nothing(watcher):
    return changes(watcher, 0.3) == []


def test_an_edit_is_seen_once(watch, folder):
    watcher = watch()
    assert nothing(watcher)
    (folder / "main.py").write_text("x = 2222\n")
    assert changes(watcher) == ["main.py"]
    assert nothing(watcher)


def test_a_file_that_is_replaced_as_editors_do_is_one_change(watch, folder):
    watcher = watch()
    (folder / "4913").write_text("x = 3\n")
    (folder / "main.py").rename(folder / "main.py~")
    (folder / "4913").rename(folder / "main.py")
    assert changes(watcher) == ["main.py"]
    assert nothing(watcher)


def test_new_and_removed_files_are_seen(watch, folder):
    watcher = watch()
    (folder / "new.py").write_text("")
    assert changes(watcher) == ["new.py"]
    (folder / "new.py").unlink()
    assert changes(watcher) == ["new.py"]


def test_what_is_in_a_new_folder_is_seen(watch, folder):
    watcher = watch()
    (folder / "package" / "inner").mkdir(parents=True)
    (folder / "package" / "inner" / "deep.py").write_text("")
    assert changes(watcher) == ["deep.py"]
    (folder / "package" / "inner" / "deep.py").write_text("y = 1\n")
    assert changes(watcher) == ["deep.py"]


def test_a_folder_that_gets_another_name_takes_its_files_along(watch, folder):
    (folder / "before").mkdir()
    (folder / "before" / "one.py").write_text("")
    watcher = watch()
    (folder / "before").rename(folder / "after")
    assert changes(watcher) == ["one.py", "one.py"]
    (folder / "after" / "one.py").write_text("y = 1\n")
    assert changes(watcher) == ["one.py"]


@pytest.mark.parametrize("name", FOLDERS)
def test_other_peoples_folders_are_skipped(watch, folder, name):
    watcher = watch()
    (folder / name / "new.py").write_text("")
    assert nothing(watcher)


@pytest.mark.parametrize("name", ["notes.txt", "main.py.swp", ".#main.py", ".hidden.py"])
def test_other_files_are_skipped(watch, folder, name):
    watcher = watch()
    (folder / name).write_text("")
    assert nothing(watcher)


def test_reading_is_no_change(watch, folder):
    watcher = watch()
    (folder / "main.py").read_text()
    os.chmod(folder / "main.py", 0o600)
    assert nothing(watcher)


@pytest.mark.parametrize("name", [".env", "page.html"])
def test_other_files_count_when_they_are_named(watch, folder, name):
    watcher = watch(include=("*.py", ".env", "*.html"))
    (folder / name).write_text("A=1\n")
    assert changes(watcher) == [name]


def test_a_pattern_leaves_a_path_out(watch, folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "tests").mkdir()
    watcher = watch(exclude=("tests/*",))
    (folder / "tests" / "test_it.py").write_text("")
    assert nothing(watcher)


def test_a_watched_folder_may_vanish_and_come_back(watch, folder):
    inner = folder / "inner"
    inner.mkdir()
    (inner / "main.py").write_text("")
    watcher = Watcher([str(inner)], ["*.py"], [])
    shutil.rmtree(inner)
    assert changes(watcher) == ["main.py"]
    inner.mkdir()
    (inner / "main.py").write_text("")
    assert changes(watcher) == ["main.py"]


def test_it_rests_after_a_look(folder, monkeypatch):
    monkeypatch.setattr("covet.server.watcher.REST", 1e9)
    watcher = Watcher([str(folder)], ["*.py"], [], poll=True)
    assert watcher.changed() == []
    (folder / "main.py").write_text("x = 2222\n")
    assert watcher.changed() == []
    assert watcher.pause() > 1


FEW = """
import sys, time
open("/proc/sys/user/max_inotify_watches", "w").write("2")
from covet.server.watcher import Watcher
watcher = Watcher([sys.argv[1]], ["*.py"], [])
assert watcher.polls
open(sys.argv[1] + "/d/new.py", "w").close()
end = time.monotonic() + 5
while not (found := watcher.changed()):
    assert time.monotonic() < end
    time.sleep(0.05)
print(found)
"""


def test_it_looks_by_itself_when_the_kernel_watches_no_more(tmp_path):
    for name in "abcd":
        (tmp_path / name).mkdir()
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-c", FEW, str(tmp_path)]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*command[:3], "true"], capture_output=True).returncode
    ):
        pytest.skip("this machine lets nobody make a user namespace (unshare --user)")
    answer = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert "new.py" in answer.stdout, answer.stderr


TABLE = r"""
21 26 0:20 / /proc rw,nosuid shared:12 - proc proc rw
26 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 26 0:38 / /mnt/c rw,noatime - 9p C:\134 rw,dirsync
41 26 0:39 / /srv/with\040space rw - nfs4 server:/x rw
42 26 0:40 / /home/me/far rw - fuse.sshfs far:/ rw
43 26 8:2 / /home/me/far rw - xfs /dev/sdb rw
nonsense
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me", "ext4"),
        ("/mnt/c/Users/me", "9p"),
        ("/mnt/cd", "ext4"),
        ("/srv/with space/app", "nfs4"),
        ("/home/me/far/app", "xfs"),
    ],
)
def test_the_mount_nearest_to_a_path_counts(path, kind):
    assert file_system(path, TABLE) == kind


@pytest.mark.parametrize(("kind", "remote"), [("nfs", True), ("fuse.sshfs", True), ("ext4", False)])
def test_file_systems_of_other_machines_are_not_trusted_to_tell(tmp_path, kind, remote):
    (tmp_path / "mounts").write_text(f"1 1 0:1 / / rw - {kind} source rw\n")
    assert is_remote(str(tmp_path), str(tmp_path / "mounts")) is remote


def test_without_a_table_of_mounts_everything_is_near(tmp_path):
    assert is_remote(str(tmp_path), str(tmp_path / "none")) is False


@given(st.text(), st.text())
def test_no_table_breaks_the_reading(path, table):
    assert isinstance(file_system(path, table), str)
