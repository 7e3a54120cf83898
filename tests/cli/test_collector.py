"""Garbage collection while programs are imported: it waits, and what others have set stays set."""

import gc
from collections.abc import Iterator

import pytest

from covet.cli.collector import OBJECTS, collection_postponed


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)


def collections() -> int:
    return sum(generation["collections"] for generation in gc.get_stats())


def test_nothing_is_collected_inside_and_the_threshold_is_restored() -> None:
    before, threshold = collections(), gc.get_threshold()
    with collection_postponed():
        kept = [[] for _ in range(OBJECTS // 2)]
    assert collections() == before
    assert gc.get_threshold() == threshold
    del kept


def test_the_threshold_is_restored_when_the_import_fails() -> None:
    threshold = gc.get_threshold()
    with pytest.raises(ImportError), collection_postponed():
        raise ImportError
    assert gc.get_threshold() == threshold


def test_what_was_made_inside_is_old_afterwards_and_still_visible() -> None:
    class Marked:
        pass

    with collection_postponed():
        marked = Marked()
        marked.itself = marked  # type: ignore[attr-defined]
    assert any(each is marked for each in gc.get_objects(generation=2))
    assert gc.get_freeze_count() == 0


def test_a_threshold_that_the_program_sets_stays() -> None:
    with collection_postponed():
        gc.set_threshold(5000, 20, 30)
    assert gc.get_threshold()[:2] == (5000, 20)


def test_collection_that_is_switched_off_stays_off() -> None:
    gc.set_threshold(0)
    with collection_postponed():
        assert gc.get_threshold()[0] == 0
    assert gc.get_threshold()[0] == 0


def test_objects_that_the_program_froze_stay_frozen() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()
    try:
        with collection_postponed():
            pass
        assert gc.get_freeze_count() >= frozen - 10  # some may have died meanwhile
    finally:
        gc.unfreeze()
