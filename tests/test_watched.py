"""Watched collections: plain lists and dicts whose changes count."""

import pickle

import pytest

from covet._engine import generation
from covet.watched import WatchedDict, WatchedList

LIST_CHANGES = {
    "append": lambda items: items.append(3),
    "extend": lambda items: items.extend([3]),
    "insert": lambda items: items.insert(0, 3),
    "pop": lambda items: items.pop(),
    "remove": lambda items: items.remove(1),
    "clear": lambda items: items.clear(),
    "sort": lambda items: items.sort(reverse=True),
    "reverse": lambda items: items.reverse(),
    "setitem": lambda items: items.__setitem__(0, 9),
    "delitem": lambda items: items.__delitem__(0),
    "iadd": lambda items: items.__iadd__([4]),
    "imul": lambda items: items.__imul__(2),
}
DICT_CHANGES = {
    "setitem": lambda items: items.__setitem__("b", 2),
    "delitem": lambda items: items.__delitem__("a"),
    "update": lambda items: items.update(b=2),
    "pop": lambda items: items.pop("a"),
    "popitem": lambda items: items.popitem(),
    "setdefault": lambda items: items.setdefault("b", 2),
    "clear": lambda items: items.clear(),
    "ior": lambda items: items.__ior__({"b": 2}),
}


@pytest.mark.parametrize("change", LIST_CHANGES.values(), ids=LIST_CHANGES)
def test_a_change_of_a_list_counts(change):
    watched, plain = WatchedList([1, 2]), [1, 2]
    before = watched.version, generation()
    change(watched)
    change(plain)
    assert watched == plain
    assert watched.version > before[0]
    assert generation() > before[1]


@pytest.mark.parametrize("change", DICT_CHANGES.values(), ids=DICT_CHANGES)
def test_a_change_of_a_dict_counts(change):
    watched, plain = WatchedDict(a=1), {"a": 1}
    before = watched.version, generation()
    change(watched)
    change(plain)
    assert watched == plain
    assert (watched.version, generation()) > before


def test_reading_is_no_change():
    watched = WatchedList([1, 2])
    before = generation()
    assert watched[0] + len(watched) + watched.index(2) == 4
    assert generation() == before


@pytest.mark.parametrize("watched", [WatchedList([1]), WatchedDict(a=1)], ids=["list", "dict"])
def test_watched_collections_survive_pickling(watched):
    restored = pickle.loads(pickle.dumps(watched))
    assert restored == watched
    assert type(restored) is type(watched)
