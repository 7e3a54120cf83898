"""What the cases call acceptable, h11 must frame alike: the same requests with the same bodies.

h11 shares no code with our decoder, not even httparse. It may refuse what we accept; it may not read it
otherwise. `crates/covet-http/tests/differential.rs` compares random streams, with two others.
"""

import re
from pathlib import Path

import pytest

from .case import Case, Expect, Send, read_cases

h11 = pytest.importorskip("h11")

CASES = read_cases(Path(__file__).parent / "cases")


def read_with_h11(data: bytes) -> tuple[list[tuple[str, bytes]], bool]:
    """The complete requests as (method, body), and whether h11 refused at the end."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=65536)
    connection.receive_data(data)
    messages: list[tuple[str, bytes]] = []
    method, body = "", b""
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            return messages, True
        if isinstance(event, h11.Request):
            method, body = event.method.decode(), b""
            if method == "CONNECT":
                return messages, True  # a tunnel: no framing to compare
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            messages.append((method, body))
            connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
            connection.send(h11.EndOfMessage())
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return messages, False
            connection.start_next_cycle()
        else:
            return messages, False


@pytest.mark.parametrize("case", CASES, ids=str)
def test_h11_frames_alike(case: Case) -> None:
    data = b"".join(step.bytes for step in case.steps if isinstance(step, Send))
    lines = [line for step in case.steps if isinstance(step, Expect) for line in step.lines]
    accepted = [found for line in lines if (found := re.fullmatch(r'200 (\S+) \S+ "(.*)"', line))]
    ours = [(found[1], Case.unescape(found[2])) for found in accepted]
    theirs, refused = read_with_h11(data)
    if any(method == "HEAD" for method, _ in ours):
        ours, theirs = [(m, b"") for m, _ in ours], [(m, b"") for m, _ in theirs]
    both = min(len(ours), len(theirs))
    assert theirs[:both] == ours[:both]
    assert len(ours) == both or refused, "h11 reads fewer requests without refusing"
