"""Where an object contains itself, and what the encoder says about it."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from covet import CovetPy
from covet.cycles import cycle_in
from covet.encoders import jsonable_encoder
from covet.testclient import TestClient


class Node:
    def __init__(self, parent: Any = None) -> None:
        self.parent = parent
        self.children: list[Any] = []
        self._hidden = self


@dataclass
class Leaf:
    name: str
    links: list[Any] = field(default_factory=list)


class Model(BaseModel):
    link: Any = None


def family() -> Node:
    root = Node()
    root.children.append(Node(root))
    return root


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def test_the_path_leads_from_an_object_back_to_itself() -> None:
    root = family()
    assert cycle_in(root) == "value.children[0].parent is value"
    assert cycle_in({"a": 1, "tree": root}) == "value['tree'].children[0].parent is value['tree']"


def test_every_container_is_looked_into() -> None:
    leaf = Leaf("a")
    leaf.links.append({"back": leaf})
    assert cycle_in(leaf) == "value.links[0]['back'] is value"
    model = Model()
    model.link = (1, model)
    assert cycle_in(model) == "value.link[1] is value"


def test_what_is_shared_or_deep_is_no_cycle() -> None:
    shared = Leaf("a")
    assert cycle_in([shared, shared, {"again": shared}]) is None
    assert cycle_in(nested(5000)) is None


def test_a_long_way_is_shortened() -> None:
    top: list[Any] = []
    top.append(nested(0))
    inner = top[0]
    for _ in range(100):
        inner.append([])
        inner = inner[0]
    inner.append(top)
    path = cycle_in(top)
    assert path is not None
    assert " … " in path
    assert len(path) < 100


def test_a_huge_object_is_not_searched_to_its_end() -> None:
    items: list[Any] = [[] for _ in range(200_000)]
    items.append(items)
    assert cycle_in(items) is None


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_plain_data_has_no_cycle(value: Any) -> None:
    assert cycle_in(value) is None


def test_the_encoder_says_where_the_cycle_is() -> None:
    with pytest.raises(
        RecursionError, match=r"Node contains itself .*: value\.children\[0\]\.parent is value\."
    ):
        jsonable_encoder(family())


def test_a_cyclic_model_is_told_too() -> None:
    model = Model()
    model.link = [model]
    with pytest.raises(ValueError, match=r"Model contains itself .*: value\.link\[0\] is value\."):
        jsonable_encoder(model)


def test_great_depth_stays_what_it_is() -> None:
    with pytest.raises(RecursionError, match="maximum recursion depth"):
        jsonable_encoder(nested(5000))


def test_another_value_error_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="not iterable"):
        jsonable_encoder(object())


def test_a_handler_that_returns_a_cycle_gets_the_path() -> None:
    app = CovetPy()

    @app.get("/")
    async def tree():  # type: ignore[no-untyped-def]
        return {"tree": family()}

    with pytest.raises(RecursionError, match=r"Node contains itself .*children\[0\]\.parent"):
        TestClient(app).get("/")
    assert json.loads(TestClient(app).get("/openapi.json").content)["paths"]["/"]
