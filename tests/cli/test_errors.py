"""What people see when something is wrong: one clear paragraph, the right exit code, no traceback of ours."""

import pytest

MAIN = """
class CovetPy:
    async def __call__(self, scope, receive, send): ...

app = CovetPy()
name = "text"

def create_app():
    return app
"""
CASES = [
    ("main:ap", 1, "Did you mean app?"),
    ("mian:app", 1, "Did you mean main?"),
    ("mian.py", 1, "Did you mean main.py?"),
    ("main:name", 1, "main:name is a str, not an application"),
    ("main:create_app", 1, "--factory"),
    ("main:", 2, "main:app"),
    ("factory_only", 1, "found the function create_app()"),
    ("needs:app", 1, "pip install no_such_library"),
    ("lacks:app", 1, "pip install no_such_library"),
    ("unnamed:app", 1, "lacks that name"),
    ("refuses:app", 1, "the error is raised while refuses is imported"),
    ("syntax:app", 1, "line 1"),
    ("circular:app", 1, "import each other"),
    ("raises:app", 1, "ValueError: no settings"),
    ("leaves:app", 1, "SystemExit: no settings at all"),
]


@pytest.fixture(autouse=True)
def _sources(tmp_path):
    (tmp_path / "main.py").write_text(MAIN)
    (tmp_path / "factory_only.py").write_text("def create_app(): ...\n")
    (tmp_path / "needs.py").write_text("import no_such_library\n")
    (tmp_path / "lacks.py").write_text(
        "try:\n    import no_such_library\nexcept ImportError as error:\n"
        "    raise ImportError('no_such_library must be installed') from error\n"
    )
    (tmp_path / "unnamed.py").write_text("from main import nothing_of_the_kind\n")
    (tmp_path / "refuses.py").write_text("raise ImportError('not on this system')\n")
    (tmp_path / "syntax.py").write_text("def broken(:\n")
    (tmp_path / "circular.py").write_text("from other import y\nx = 1\n")
    (tmp_path / "other.py").write_text("from circular import x\ny = 1\n")
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit('no settings at all')\n")
    (tmp_path / "raises.py").write_text("raise ValueError('no settings')\n")


@pytest.mark.parametrize(("name", "code", "text"), CASES)
def test_a_wrong_application(covet, name, code, text):
    answer = covet("run", name, "--port", "0")
    assert answer.returncode == code
    assert answer.stderr.startswith("error: ")
    assert text in answer.stderr
    assert answer.stdout == ""
    assert "covet/" not in answer.stderr.replace("covet/cli is", "")


def test_an_import_error_shows_the_users_frames_only(covet):
    answer = covet("run", "raises:app")
    assert 'raises.py", line 1' in answer.stderr
    assert "importlib" not in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("rnu",), "Did you mean run?"),
        (("run", "main:app", "--prot", "1"), "Did you mean --port?"),
        (("run", "main:app", "--port", "many"), "--port"),
        (("run", "main:app", "--ssl-keyfile", "key.pem"), "TLS"),
        (("run", "main:app", "--interface", "wsgi"), "ASGI"),
        (("run", "main:app", "--trusted-proxies", "nobody"), "--trusted-proxies"),
        (("run", "main:app", "--header", "nothing"), "name:value"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(covet, arguments, text):
    answer = covet(*arguments)
    assert answer.returncode == 2
    assert text in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_flag_without_meaning_is_accepted_with_a_notice(covet):
    answer = covet("run", "mian:app", "--http", "h11", "--ws", "none")
    assert "notice: --http means nothing" in answer.stderr
    assert answer.returncode == 1


def test_the_version_is_data(covet):
    answer = covet("--version")
    assert answer.returncode == 0
    assert answer.stdout.startswith("covet ")


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help"), ("routes", "--help")])
def test_help_opens_with_examples(covet, arguments):
    answer = covet(*arguments)
    assert answer.returncode == 0
    assert answer.stdout.startswith("examples:\n")


@pytest.mark.parametrize("command", ["run", "dev", "routes", "openapi"])
def test_advice_repeats_the_command_that_was_given(covet, command):
    assert f"try: covet {command} main:create_app --factory" in covet(command, "main:create_app").stderr
