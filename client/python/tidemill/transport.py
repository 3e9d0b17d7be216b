"""Requests that are repeated where that is safe."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator

import httpx

from .errors import TidemillError, problem_of, unreachable

RETRIES = 4
FIRST_WAIT_S = 0.25
#: An answer that asks for a longer wait is given to the caller at once.
LONGEST_WAIT_S = 20.0
PASSING = (429, 503)
#: POSTs that may be sent twice: they only read, or name what they do.
HARMLESS_POSTS = ("/plan", "/cancel")


class Transport:
    """Sends in the name of one API key."""

    def __init__(self, url: str, key: str, timeout_s: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self.url = url.rstrip("/")
        self.sleep = sleep
        self._http = httpx.Client(
            base_url=self.url, headers={"authorization": f"Bearer {key}"}, timeout=timeout_s, follow_redirects=False
        )

    def close(self) -> None:
        self._http.close()

    def json(self, method: str, path: str, **options: Any) -> Any:
        """The body of a success. Raises TidemillError for everything else."""
        with self.open(method, path, **options) as response:
            response.read()
            return response.json() if response.content else None

    @contextmanager
    def open(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        """A success whose body is still to be read. `content` given as a function is called for every try."""
        content = options.pop("content", None)
        tries = 0
        while True:
            tries += 1
            body = {} if content is None else {"content": content() if callable(content) else content}
            request = self._http.build_request(method, path, **body, **options)
            try:
                response = self._http.send(request, stream=True)
            except httpx.TransportError as cause:
                wait = self._wait(request, tries, None)
                if wait is None:
                    raise unreachable(self.url, cause) from cause
            else:
                if response.is_success:
                    break
                with _closed_after(response):
                    response.read()
                wait = self._wait(request, tries, response)
                if wait is None:
                    raise problem_of(response)
            self.sleep(wait)
        with _closed_after(response):
            yield response

    def _wait(self, request: httpx.Request, tries: int, answer: httpx.Response | None) -> float | None:
        """Seconds until the next try, or None when there is none."""
        is_harmless = request.method != "POST" or (
            "idempotency-key" in request.headers or request.url.path.endswith(HARMLESS_POSTS)
        )
        if tries > RETRIES or not is_harmless:
            return None
        if answer is not None:
            if answer.status_code not in PASSING:
                return None
            asked = answer.headers.get("retry-after", "")
            if asked.isdigit():
                # Spread a little, or everybody who was sent away comes back in the same instant.
                return int(asked) + random.random() * FIRST_WAIT_S if int(asked) <= LONGEST_WAIT_S else None
        return min(FIRST_WAIT_S * 2 ** (tries - 1) * random.uniform(0.5, 1.5), LONGEST_WAIT_S)


@contextmanager
def _closed_after(response: httpx.Response) -> Iterator[None]:
    try:
        yield
    except httpx.TransportError as cause:
        raise TidemillError("UNREACHABLE", f"The answer broke off: {cause!r}.", "Try again.") from cause
    finally:
        response.close()
