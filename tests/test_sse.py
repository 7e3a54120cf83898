"""Events: what may stand in one, and its bytes."""

import pytest

from covet.sse import EventSourceResponse, ServerSentEvent, format_sse_event


def test_an_event_has_its_fields_in_order_and_an_empty_line():
    written = format_sse_event(data_str="x", event="e", id="1", retry=5, comment="c")
    assert written == b": c\nevent: e\ndata: x\nid: 1\nretry: 5\n\n"


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\rb"])
def test_every_line_break_of_the_standard_splits_data(text):
    assert format_sse_event(data_str=text) == b"data: a\ndata: b\n\n"


def test_other_separators_stay_in_the_line():
    assert format_sse_event(data_str="a\u2028b") == "data: a\u2028b\n\n".encode()


def test_an_empty_event_is_an_empty_line():
    assert format_sse_event() == b"\n"


@pytest.mark.parametrize("field", ["event", "id"])
def test_names_and_ids_are_single_lines(field):
    with pytest.raises(ValueError, match=f"SSE '{field}' must be a single line"):
        ServerSentEvent(**{field: "a\nb"})


def test_an_id_has_no_null():
    with pytest.raises(ValueError, match="null"):
        ServerSentEvent(id="\0")


def test_data_and_raw_data_exclude_each_other():
    with pytest.raises(ValueError, match="Cannot set both"):
        ServerSentEvent(data=1, raw_data="1")


def test_the_response_is_an_event_stream():
    assert EventSourceResponse.media_type == "text/event-stream"
