"""The calls most programs need; the whole API is described at /docs of every orchestrator."""

from __future__ import annotations

import hashlib
import time
import uuid
from pathlib import Path
from typing import Any, Iterator, cast

from .api_types import Account, Artifact, BatchResultJobsItem, Job, JobDetail, JobSpec, LogLine, Output, Plan, Worker
from .errors import TidemillError
from .events import job_events
from .transport import Transport

PIECE_BYTES = 1024 * 1024
#: Breaks of one download before the trouble is the caller's.
MAX_BREAKS = 5


class Tidemill:
    """A network, in the name of one API key. `with Tidemill(url, key) as tidemill:` closes its connections at the end."""

    def __init__(self, url: str, key: str, timeout_s: float = 30.0) -> None:
        self._transport = Transport(url, key, timeout_s)
        self.jobs = Jobs(self._transport)
        self.artifacts = Artifacts(self._transport)

    def __enter__(self) -> Tidemill:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    def account(self) -> Account:
        """Balance and holds, in base units."""
        return cast(Account, self._transport.json("GET", "/v1/account"))

    def workers(self) -> Iterator[Worker]:
        """Every worker the network knows."""
        yield from _every_item(self._transport, "/v1/workers")


class Jobs:
    """Submit jobs, watch them, and see what they made."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, spec: JobSpec, idempotency_key: str | None = None) -> Job:
        """Submits a job. The same key within 7 days gives the first answer again; each call has its own by default."""
        return cast(Job, self._transport.json("POST", "/v1/jobs", json=spec, headers=_once(idempotency_key)))

    def create_many(self, specs: list[JobSpec], idempotency_key: str | None = None) -> list[BatchResultJobsItem]:
        """Submits up to 100 jobs, all or none; ids and holds in the order of the specs."""
        body = {"jobs": specs}
        answer = self._transport.json("POST", "/v1/jobs/batch", json=body, headers=_once(idempotency_key))
        return cast("list[BatchResultJobsItem]", answer["jobs"])

    def plan(self, spec: JobSpec) -> Plan:
        """What would happen, without submitting."""
        return cast(Plan, self._transport.json("POST", "/v1/jobs/plan", json=spec))

    def get(self, job_id: str) -> JobDetail:
        return cast(JobDetail, self._transport.json("GET", f"/v1/jobs/{job_id}"))

    def list_all(self, state: str | None = None) -> Iterator[Job]:
        """Yours, newest first."""
        yield from _every_item(self._transport, "/v1/jobs", {} if state is None else {"state": state})

    def cancel(self, job_id: str) -> Job:
        """Cancelling twice is cancelling once."""
        return cast(Job, self._transport.json("POST", f"/v1/jobs/{job_id}/cancel"))

    def events(self, job_id: str, after: str | None = None) -> Iterator[dict[str, Any]]:
        """What happens to a job, each event once, over lost connections, until it is over. `cursor` resumes a stream."""
        return job_events(self._transport, job_id, after)

    def wait(self, job_id: str, timeout_s: float | None = None) -> JobDetail:
        """The job once it is over. Raises TidemillError WAIT_TIMEOUT; the job goes on then."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            job = self.get(job_id)
            if job["state"] in ("succeeded", "failed", "cancelled", "expired"):
                return job
            if deadline is not None and time.monotonic() >= deadline:
                raise TidemillError("WAIT_TIMEOUT", f"{job_id} was not over after {timeout_s} s.", "Wait longer.")
            self._transport.sleep(0.5)

    def logs(self, job_id: str) -> Iterator[LogLine]:
        """The log, oldest line first, as far as it goes now."""
        yield from _every_item(self._transport, f"/v1/jobs/{job_id}/logs")

    def outputs(self, job_id: str) -> list[Output]:
        """Outputs of accepted results."""
        return cast("list[Output]", self._transport.json("GET", f"/v1/jobs/{job_id}/outputs")["items"])


class Artifacts:
    """Bytes under their SHA-256."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def put(self, source: bytes | Path) -> Artifact:
        """Stores bytes or a file. Storing the same bytes twice is storing them once."""
        digest, size = _digest_of(source)
        content = (lambda: source) if isinstance(source, bytes) else (lambda: _pieces(source))
        headers = {"content-type": "application/octet-stream", "content-length": str(size)}
        stored = self._transport.json("PUT", f"/v1/artifacts/{digest}", content=content, headers=headers, timeout=120)
        return cast(Artifact, stored)

    def get(self, digest: str) -> bytes:
        """The bytes, checked."""
        return b"".join(self.stream(digest))

    def download(self, digest: str, path: Path) -> None:
        """Writes the bytes to a file, which appears only once they are complete and checked."""
        part = path.with_name(f"{path.name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                for piece in self.stream(digest):
                    file.write(piece)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def stream(self, digest: str) -> Iterator[bytes]:
        """The bytes as they arrive, over lost connections. Raises DIGEST_MISMATCH at the end if they are not the right ones."""
        sha, received = hashlib.sha256(), 0
        for breaks in range(MAX_BREAKS + 1):
            headers = {"range": f"bytes={received}-"} if received else {}
            try:
                with self._transport.open("GET", f"/v1/artifacts/{digest}", headers=headers) as response:
                    skip = received if response.status_code == 200 else 0
                    for piece in response.iter_raw():
                        fresh, skip = piece[skip:], max(0, skip - len(piece))
                        sha.update(fresh)
                        received += len(fresh)
                        yield fresh
                break
            except TidemillError as error:
                # Before the first byte it was refused, or could not be reached at all.
                if error.code != "UNREACHABLE" or received == 0 or breaks == MAX_BREAKS:
                    raise
        if f"sha256:{sha.hexdigest()}" != digest:
            raise TidemillError("DIGEST_MISMATCH", f"The bytes of {digest} are others.", "Fetch them again.")


def _once(key: str | None) -> dict[str, str]:
    return {"idempotency-key": key or str(uuid.uuid4())}


def _every_item(transport: Transport, path: str, query: dict[str, str] | None = None) -> Iterator[Any]:
    cursor: str | None = None
    while True:
        page = transport.json("GET", path, params={**(query or {}), **({} if cursor is None else {"cursor": cursor})})
        yield from page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            return


def _digest_of(source: bytes | Path) -> tuple[str, int]:
    sha, size = hashlib.sha256(), 0
    for piece in [source] if isinstance(source, bytes) else _pieces(source):
        sha.update(piece)
        size += len(piece)
    return f"sha256:{sha.hexdigest()}", size


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
