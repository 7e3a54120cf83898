"""How an application is found and imported, and what mistakes look like."""

import itertools
import sys

import pytest

from covet.cli.discovery import find_application
from covet.server import SettingsError


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COVET_APP", raising=False)
    return tmp_path


def found(name=None, **options):
    application = find_application(name, **options)
    return application.module, application.attribute


def test_module_and_attribute(project):
    assert found("shop.main:app") == ("shop.main", "app")


def test_a_file(project):
    (project / "main.py").write_text("")
    assert found("main.py") == ("main", None)
    assert found("main.py:api") == ("main", "api")


def test_a_file_in_a_package_is_imported_as_part_of_it(project):
    (project / "src" / "shop").mkdir(parents=True)
    (project / "src" / "shop" / "__init__.py").write_text("")
    (project / "src" / "shop" / "main.py").write_text("")
    application = find_application("src/shop/main.py")
    assert application.module == "shop.main"
    assert application.folder == str(project / "src")


@pytest.mark.parametrize("table", ["covet", "fastapi"])
def test_the_projects_entry_point(project, table):
    (project / "pyproject.toml").write_text(f'[tool.{table}]\nentrypoint = "shop.web:api"\n')
    assert found() == ("shop.web", "api")


def test_our_entry_point_wins(project):
    text = '[tool.fastapi]\nentrypoint = "a:b"\n[tool.covet]\nentrypoint = "c:d"\n'
    (project / "pyproject.toml").write_text(text)
    assert found() == ("c", "d")


@pytest.mark.parametrize("name", ["main.py", "app.py", "api.py", "app/main.py"])
def test_the_usual_files(project, name):
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("")
    assert found() == (name.rpartition("/")[2].removesuffix(".py"), None)


def test_the_variable(project, monkeypatch):
    monkeypatch.setenv("COVET_APP", "shop:app")
    assert found() == ("shop", "app")


def test_another_attribute(project):
    assert found("main:app", attribute="admin") == ("main", "admin")


@pytest.mark.parametrize("name", [None, "nothing.py", "main:", "1main:app", "no such thing"])
def test_what_cannot_be_meant(project, name):
    with pytest.raises(SettingsError):
        find_application(name)


@pytest.mark.parametrize("name", ["", ":app"])
def test_a_missing_module_is_said(project, name):
    with pytest.raises(SettingsError, match=r"the module is missing, for example main:app"):
        find_application(name)


def test_a_missing_app_dir(project):
    with pytest.raises(SettingsError, match="--app-dir"):
        find_application("main:app", folder="nowhere")


@pytest.mark.parametrize("text", ["not toml [", "[tool.covet]\nentrypoint = 3\n"])
def test_a_broken_pyproject_is_said(project, text):
    (project / "pyproject.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"pyproject\.toml"):
        find_application(None)


def test_a_pyproject_without_our_table_is_passed_over(project):
    (project / "pyproject.toml").write_text("[project]\nname = 'shop'\n")
    (project / "main.py").write_text("")
    assert found() == ("main", None)


@pytest.fixture
def module(project, monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path[:])

    def make(source, attribute=None, **options):
        name = f"shop_{next(NUMBERS)}"
        (project / f"{name}.py").write_text(source)
        return find_application(f"{name}:{attribute}" if attribute else name, **options)

    return make


NUMBERS = itertools.count()
APPLICATION = "class CovetPy:\n    def __call__(self, scope, receive, send): ...\n"


def test_a_nested_attribute_is_found(module):
    assert module(APPLICATION + "class Box: app = CovetPy()\n", "Box.app")()


@pytest.mark.parametrize("name", ["app", "api", "application", "anything_else"])
def test_an_application_is_found_by_name_or_class(module, name):
    assert module(APPLICATION + f"{name} = CovetPy()\n")()


def test_a_factory_is_found_by_name(module):
    assert module(APPLICATION + "def make_app(): return CovetPy()\n", factory=True)()


def test_the_application_is_suggested_when_the_name_is_nothing_like_it(module):
    with pytest.raises(SettingsError, match="has an application named service"):
        module(APPLICATION + "service = CovetPy()\n", "xyz")()


def test_a_dot_for_the_colon_is_understood(project):
    (project / "shop.py").write_text("")
    with pytest.raises(SettingsError, match=r"no module 'shop\.app'\. Did you mean shop:app\?"):
        find_application("shop.app")()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("app = 3\n", "is an int, not a function"),
        ("def app(): raise KeyError('DATABASE_URL')\n", "KeyError: 'DATABASE_URL'"),
        ("def app(): return 7\n", "is an int, not an application"),
    ],
)
def test_what_a_factory_does_wrong(module, source, message):
    with pytest.raises(SettingsError, match=message):
        module(source, "app", factory=True)()
