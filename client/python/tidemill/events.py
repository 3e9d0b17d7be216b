"""The stream of a job's events (server-sent events)."""

from __future__ import annotations

import json
from typing import Any, Iterable, Iterator

from .errors import TidemillError
from .transport import Transport

#: Connections in a row that ended without an event, before the trouble is the caller's.
MAX_EMPTY = 10
RECONNECT_S = 0.5
#: The orchestrator says something, if only a comment, more often than this.
SILENCE_S = 60.0
#: What a stream that was open once sits out: an orchestrator that restarts is away for seconds.
SAT_OUT = ("UNREACHABLE", "UNAVAILABLE", "RATE_LIMITED")
OVER = ("succeeded", "failed", "cancelled", "expired")


def job_events(transport: Transport, job_id: str, after: str | None = None) -> Iterator[dict[str, Any]]:
    """Each event once and in order, across lost connections, until the job is over."""
    last, empty, was_open = after, 0, False
    while True:
        headers = {"accept": "text/event-stream", **({} if last is None else {"last-event-id": last})}
        try:
            with transport.open("GET", f"/v1/jobs/{job_id}/events", headers=headers, timeout=SILENCE_S) as response:
                was_open = True
                for cursor, data in _messages(_lines(response.iter_text())):
                    empty = 0
                    if cursor == last:
                        continue  # Sent again after a break.
                    last = cursor
                    yield {**json.loads(data), "cursor": cursor}
            if transport.json("GET", f"/v1/jobs/{job_id}")["state"] in OVER:
                return
        except TidemillError as error:
            if error.code not in SAT_OUT or not was_open or empty >= MAX_EMPTY:
                raise
        if empty >= MAX_EMPTY:
            raise TidemillError("BAD_ANSWER", "The stream of events stays empty.", "Ask for the job itself.")
        empty += 1
        transport.sleep(RECONNECT_S * empty)


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """Lines end with a line feed alone: `str.splitlines` would also cut texts at signs that JSON does not escape."""
    rest = ""
    for text in texts:
        *lines, rest = (rest + text).split("\n")
        yield from (line.removesuffix("\r") for line in lines)


def _messages(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of id and data. A line that starts with a colon is a comment; an empty line ends a message."""
    cursor, data = "", []
    for line in lines:
        if line == "":
            if data:
                yield cursor, "\n".join(data)
            data = []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "id":
            cursor = value
        elif field == "data":
            data.append(value)
