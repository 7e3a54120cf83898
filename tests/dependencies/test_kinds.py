"""What a callable is: seen through partials, wrappers and instances."""

import functools

import pytest

from covet.dependencies import models
from covet.dependencies.kinds import CallKind, call_kind


def plain(): ...


async def coroutine(): ...


def generator():
    yield


async def async_generator():
    yield


def wrapped(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


class Calls:
    def __call__(self): ...


class CallsAsync:
    async def __call__(self): ...


class CallsGenerator:
    def __call__(self):
        yield


class CallsAsyncGenerator:
    async def __call__(self):
        yield

    async def method(self): ...


EXPECTED = [
    (plain, CallKind.THREAD),
    (coroutine, CallKind.COROUTINE),
    (generator, CallKind.GENERATOR),
    (async_generator, CallKind.ASYNC_GENERATOR),
    (Calls(), CallKind.THREAD),
    (CallsAsync(), CallKind.COROUTINE),
    (CallsGenerator(), CallKind.GENERATOR),
    (CallsAsyncGenerator(), CallKind.ASYNC_GENERATOR),
    (CallsAsyncGenerator().method, CallKind.COROUTINE),
    (CallsAsync, CallKind.THREAD),
    (len, CallKind.THREAD),
    (None, CallKind.THREAD),
]


@pytest.mark.parametrize(("call", "kind"), EXPECTED)
def test_a_callable_has_its_kind(call, kind):
    assert call_kind(call) is kind


@pytest.mark.parametrize(("call", "kind"), [pair for pair in EXPECTED if pair[0] is not None])
def test_partials_and_wrappers_are_looked_through(call, kind):
    assert call_kind(functools.partial(functools.partial(call))) is kind
    if call is not CallsAsync:
        assert call_kind(wrapped(call)) is kind


def test_an_unhashable_callable_has_a_kind():
    class Unhashable:
        __hash__ = None

        async def __call__(self): ...

    assert call_kind(Unhashable()) is CallKind.COROUTINE


def test_the_memory_of_kinds_is_bounded(monkeypatch):
    monkeypatch.setattr("covet.dependencies.kinds._REMEMBERED", 1)
    assert call_kind(lambda: None) is CallKind.THREAD
    assert call_kind(lambda: None) is CallKind.THREAD


def test_fastapis_names_ask_the_same():
    assert models._is_gen_callable(generator)
    assert models._is_async_gen_callable(async_generator)
    assert models._is_coroutine_callable(coroutine)
    assert models._unwrapped_call(wrapped(plain)) is plain
    assert models._unwrapped_call(None) is None
    assert models._impartial(functools.partial(plain)) is plain
