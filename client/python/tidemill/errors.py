"""What the client raises."""

from __future__ import annotations

from typing import Any

import httpx


class TidemillError(Exception):
    """A refusal of the API, or trouble on the way to it: a stable code, what was wrong, and the next step."""

    def __init__(
        self,
        code: str,
        detail: str,
        next: str,
        status: int | None = None,
        errors: list[dict[str, str]] | None = None,
        missing: str | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail} {next}")
        self.code = code
        self.detail = detail
        self.next = next
        #: The HTTP status, or None when there was no answer.
        self.status = status
        #: The members of the request that were wrong, each with its path and message.
        self.errors = errors or []
        #: Base units missing, for INSUFFICIENT_FUNDS.
        self.missing = missing


def problem_of(response: httpx.Response) -> TidemillError:
    """The error that an answer stands for. The body has been read."""
    try:
        problem: Any = response.json()
        return TidemillError(
            problem["code"],
            problem["detail"],
            problem["next"],
            response.status_code,
            problem.get("errors"),
            problem.get("missing"),
        )
    except (ValueError, KeyError, TypeError):
        return TidemillError(
            "BAD_ANSWER",
            f"{response.url} answered {response.status_code} with {response.text[:120]!r}.",
            "Check that the address is that of an orchestrator.",
            response.status_code,
        )


def unreachable(url: str, cause: Exception) -> TidemillError:
    """Nobody answered."""
    return TidemillError("UNREACHABLE", f"{url} does not answer: {cause!r}.", "Check the address.")
