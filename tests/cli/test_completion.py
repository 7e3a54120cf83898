"""`covet completion`: scripts that shells accept, with every command and flag."""

import shutil
import subprocess

import pytest

from covet.cli.main import COMMANDS


def complete(script, *words):
    """Let bash complete the last word."""
    quoted = " ".join(f"'{word}'" for word in words)
    program = (
        f'{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _covet; echo "${{COMPREPLY[@]}}"'
    )
    answer = subprocess.run(["bash", "-c", program], capture_output=True, text=True, timeout=20)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.split()


def test_bash_completes_commands_and_flags(covet):
    script = covet("completion", "bash").stdout
    assert complete(script, "covet", "") == list(COMMANDS)
    assert complete(script, "covet", "ro") == ["routes"]
    assert complete(script, "covet", "dev", "--reload-d") == ["--reload-dir", "--reload-dirs"]
    assert "--json" in complete(script, "covet", "routes", "-")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_names_every_command_and_is_data(covet, shell):
    answer = covet("completion", shell)
    assert answer.returncode == 0
    assert answer.stderr == ""
    assert all(name in answer.stdout for name in COMMANDS)
    assert "timeout-drain" in answer.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_finds_no_fault_in_its_script(covet, shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = covet("completion", shell).stdout
    answer = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, timeout=20)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_an_unknown_shell_is_a_usage_error(covet):
    answer = covet("completion", "tcsh")
    assert answer.returncode == 2
    assert "choose from" in answer.stderr
