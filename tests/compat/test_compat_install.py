"""`covet.compat.install()`: what `import fastapi` and `import starlette` mean from then on.

Each program runs in an interpreter of its own, with a broken `fastapi` and `starlette` on its path: whatever
still reached an installed one would fail.
"""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest


@pytest.fixture
def impostors(tmp_path: Path) -> Path:
    """A folder with packages that must never be imported."""
    for name in ("fastapi", "starlette"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the real one was imported')")
        (tmp_path / name / "only_there.py").write_text("raise SystemExit('the real one was imported')")
    return tmp_path


def run(program: str, folder: Path, *arguments: str, start: str = "covet.compat.install()") -> str:
    """Run a program in `folder`; return what it prints."""
    (folder / "program.py").write_text(f"import covet.compat\n{start}\n{textwrap.dedent(program)}")
    done = subprocess.run(
        [sys.executable, "-W", "error", "program.py", *arguments], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_modules_are_covets_own(impostors: Path) -> None:
    program = """
        import covet.routing, covet.security.oauth2, covet.starlette.middleware.base
        import fastapi, fastapi.routing, fastapi.security.oauth2, starlette, starlette.middleware.base
        from fastapi import routing
        assert fastapi.routing is routing is covet.routing
        assert fastapi.security.oauth2 is covet.security.oauth2
        assert starlette is covet.starlette
        assert starlette.middleware.base is covet.starlette.middleware.base
        assert fastapi.FastAPI is covet.CovetPy
        assert covet.routing.__spec__.name == covet.routing.__name__ == "covet.routing"
    """
    run(program, impostors)


def test_installing_again_changes_nothing(impostors: Path) -> None:
    program = """
        import sys
        before = list(sys.meta_path)
        covet.compat.install()
        assert sys.meta_path == before and covet.compat.installed()
    """
    run(program, impostors)


@pytest.mark.parametrize(
    "name", ["fastapi.only_there", "starlette.only_there", "fastapi.server", "fastapi.routing.nothing"]
)
def test_an_unknown_module_is_never_taken_from_an_installed_package(impostors: Path, name: str) -> None:
    program = f"""
        try:
            import {name}
        except ModuleNotFoundError as error:
            print(error.name, error)
    """
    told = run(program, impostors)
    root = name.partition(".")[0]
    assert told.startswith(f"{name} No module named '{name}'")
    assert f"covet stands in for {root}" in told


def test_the_real_package_in_use_is_an_error_that_names_the_fix(tmp_path: Path) -> None:
    (tmp_path / "starlette.py").touch()
    program = """
        import starlette
        try:
            covet.compat.install()
        except covet.compat.CompatError as error:
            print(error)
    """
    told = run(program, tmp_path, start="")
    assert "the real starlette got imported" in told
    assert "covet run --compat" in told


def test_versions_are_plain_numbers(impostors: Path) -> None:
    program = """
        import covet, fastapi, importlib.metadata as metadata, starlette
        for module in (fastapi, starlette):
            assert len([int(part) for part in module.__version__.split(".")]) == 3
            assert metadata.version(module.__name__.split(".")[-1]) == module.__version__
        assert covet.__version__ != fastapi.__version__
    """
    run(program, impostors)


def test_distributions_answer(impostors: Path) -> None:
    program = """
        from importlib import metadata
        distribution = metadata.distribution("FastAPI")
        assert distribution.metadata["Name"] == distribution.name == "fastapi"
        assert any(line.startswith("starlette") for line in metadata.requires("fastapi"))
        assert metadata.requires("starlette")
        assert {"fastapi", "starlette", "pydantic"} <= {entry.name for entry in metadata.distributions()}
        assert metadata.version("pydantic")
    """
    run(program, impostors)


def test_reload_keeps_the_module(impostors: Path) -> None:
    program = """
        import importlib, sys
        import fastapi, fastapi.encoders, starlette.status
        for module, name in ((fastapi, "fastapi"), (fastapi.encoders, "fastapi.encoders")):
            assert importlib.reload(module) is module is sys.modules[name]
        assert importlib.reload(starlette.status) is sys.modules["covet.starlette.status"]
    """
    run(program, impostors)


def test_objects_pickle_by_either_name(impostors: Path) -> None:
    program = """
        import pickle
        from fastapi.routing import APIRoute
        assert pickle.loads(pickle.dumps(APIRoute)) is APIRoute
        assert pickle.loads(b"cfastapi.routing\\nAPIRoute\\n.") is APIRoute
    """
    run(program, impostors)


def test_the_package_runs_as_a_command(impostors: Path) -> None:
    program = """
        import runpy, sys
        sys.argv = ["fastapi", "--version"]
        try:
            runpy.run_module("fastapi", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            assert not end.code
    """
    assert run(program, impostors).startswith("covet ")


def test_resources_and_sources_are_found(impostors: Path) -> None:
    program = """
        import importlib.resources, importlib.util, inspect
        spec = importlib.util.find_spec("fastapi.sse")
        assert "covet" in spec.origin and spec.loader.get_source("fastapi.sse")
        import fastapi, fastapi.sse
        assert importlib.resources.files("fastapi").joinpath("py.typed").name == "py.typed"
        assert "def " in inspect.getsource(fastapi.sse)
        assert "FastAPI" in dir(fastapi)
    """
    run(program, impostors)


def test_an_assignment_to_the_package_reaches_covet(impostors: Path) -> None:
    program = """
        from unittest import mock
        import covet, fastapi
        class Traced(fastapi.FastAPI): pass
        with mock.patch("fastapi.FastAPI", Traced):
            from fastapi import FastAPI
            assert FastAPI is covet.FastAPI is Traced
        assert fastapi.FastAPI is covet.CovetPy
    """
    run(program, impostors)


def test_a_missing_name_is_reported_under_fastapis_name(impostors: Path) -> None:
    program = """
        import fastapi
        try:
            fastapi.Nothing
        except AttributeError as error:
            print(error)
    """
    assert run(program, impostors) == "module 'fastapi' has no attribute 'Nothing'"


# What agents do: a finder in front of all others that wraps the loader and looks hooks up by `__name__`.
HOOKS = """
    import importlib.util, sys

    fired = []

    class Wrapped:
        def __init__(self, loader):
            self.loader = loader
        def create_module(self, spec):
            return self.loader.create_module(spec)
        def exec_module(self, module):
            self.loader.exec_module(module)
            if module.__name__ in ("fastapi.routing", "starlette.applications", "fastapi"):
                fired.append(module.__name__)
            if module.__name__ == "fastapi.routing":
                original = module.serialize_response
                module.serialize_response = lambda *args, **kwargs: original(*args, **kwargs)
                fired.append(module.serialize_response)

    class Hooks:
        busy = False
        def find_spec(self, name, path, target=None):
            if self.busy or name.partition(".")[0] not in ("fastapi", "starlette"):
                return None
            self.busy = True
            try:
                spec = importlib.util.find_spec(name)
            finally:
                self.busy = False
            spec.loader = Wrapped(spec.loader)
            return spec

    sys.meta_path.insert(0, Hooks())
"""


def test_import_hooks_fire_before_the_first_route_is_made(impostors: Path) -> None:
    program = textwrap.dedent(HOOKS) + textwrap.dedent("""
        from fastapi import FastAPI
        assert "fastapi.routing" in fired and "starlette.applications" in fired
        import covet.routing
        assert covet.routing.serialize_response in fired
    """)
    run(program, impostors)
