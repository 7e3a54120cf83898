"""`covet new`: the project that it makes works at once, and nothing that was there is touched."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request

import pytest

from covet.cli.project import DOCKER_FILES, FILES


def test_the_project_is_there_and_the_next_commands_are_named(covet, tmp_path):
    answer = covet("new", "shop")
    assert answer.returncode == 0
    assert answer.stdout == ""
    assert answer.stderr.endswith("  cd shop\n  covet dev\n")
    found = {
        str(path.relative_to(tmp_path / "shop")) for path in (tmp_path / "shop").rglob("*") if path.is_file()
    }
    assert found == set(FILES)


def test_a_dockerfile_comes_when_asked_for(covet, tmp_path):
    assert covet("new", "shop", "--docker").returncode == 0
    assert all((tmp_path / "shop" / name).is_file() for name in DOCKER_FILES)


def test_its_tests_pass(covet, tmp_path):
    covet("new", "shop")
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    answer = subprocess.run(command, cwd=tmp_path / "shop", capture_output=True, text=True, timeout=50)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "3 passed" in answer.stdout


def test_its_settings_name_the_application_and_measure_threads_and_greenlets(covet, tmp_path):
    covet("new", "my-shop")
    settings = tomllib.loads((tmp_path / "my-shop" / "pyproject.toml").read_text())
    assert settings["project"]["name"] == "my-shop"
    assert settings["tool"]["covet"]["entrypoint"] == "app.main:app"
    assert settings["tool"]["coverage"]["run"]["concurrency"] == ["thread", "greenlet"]


@pytest.mark.parametrize("command", ["dev", "run"])
def test_it_is_served(covet, tmp_path, command):
    covet("new", "shop")
    arguments = ["-m", "covet", command, "--host", "127.0.0.1", "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=tmp_path / "shop", stderr=subprocess.PIPE, text=True
    )
    try:
        line = next(line for line in process.stderr if "serves" in line)
        assert "serves app.main:app on" in line
        address = re.search(r"http://[\d.:]+", line)[0]
        with urllib.request.urlopen(f"{address}/hello/Ada", timeout=10) as answer:
            assert answer.read() == b'{"message":"Hello Ada"}'
    finally:
        process.send_signal(signal.SIGTERM)
        process.stderr.close()
        assert process.wait(15) == 0


def test_nothing_is_overwritten(covet, tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "README.md").write_text("mine")
    answer = covet("new", "shop")
    assert answer.returncode == 1
    assert "README.md exists" in answer.stderr
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["README.md"]
    assert (tmp_path / "shop" / "README.md").read_text() == "mine"


def test_this_folder_will_do(covet, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    answer = covet("new", ".")
    assert answer.returncode == 0
    assert "cd" not in answer.stderr.split()
    assert (tmp_path / "app" / "main.py").is_file()


@pytest.mark.parametrize("name", ["-shop-", "sh op", "größe"])
def test_a_name_that_packaging_refuses_is_refused(covet, tmp_path, name):
    answer = covet("new", "--", name) if name.startswith("-") else covet("new", name)
    assert answer.returncode == 2
    assert answer.stderr.startswith("error: ")
    assert not any(tmp_path.iterdir())


def test_without_a_terminal_it_asks_nothing(covet):
    answer = covet("new")
    assert answer.returncode == 2
    assert "covet new shop" in answer.stderr


def test_on_a_terminal_it_asks(tmp_path):
    terminal, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "covet", "new"], cwd=tmp_path, stdin=other, stdout=other, stderr=other
    )
    os.close(other)
    os.write(terminal, b"shop\ny\n")
    assert process.wait(20) == 0
    os.close(terminal)
    assert (tmp_path / "shop" / "Dockerfile").is_file()


def test_an_interrupt_makes_nothing(tmp_path):
    terminal, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "covet", "new"], cwd=tmp_path, stdin=other, stdout=other, stderr=other
    )
    os.close(other)
    text = b""
    end = time.monotonic() + 15
    while b"name of the project" not in text:
        assert time.monotonic() < end
        text += os.read(terminal, 100)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 1
    os.close(terminal)
    assert not any(tmp_path.iterdir())
