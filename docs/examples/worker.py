"""A worker written from docs/protocol.md alone: python3 worker.py http://127.0.0.1:7070 ./folder

Needs Python 3.10, `websockets` and `cryptography`. The folder holds its key and the receipts that are not
acknowledged yet. Ctrl-C drains it: what runs is finished and reported, then it leaves."""

import asyncio, contextlib, hashlib, json, random, resource, signal, sys, time  # noqa: E401
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
VERSIONS = [1]
WEEK_MS = 7 * 24 * 3_600_000
FRAME_EVERY_S = 0.05  # 20 frames a second are allowed
FATAL = {4400: "a frame was wrong", 4403: "the operator has revoked the key",
         4406: "no protocol version in common", 4409: "the key is in use elsewhere"}
LOGIN_TEXT = """{audience} wants you to sign in with your Solana account:
{address}

Join Tidemill as a worker with this key. This moves no money.

URI: https://{audience}
Version: 1
Chain ID: {network}
Nonce: {nonce}
Issued At: {issuedAt}
Expiration Time: {expiresAt}
Resources:
- tidemill/login/1/worker"""
PROFILE = {
    "name": "python",
    "capabilities": {"runtimes": [{"name": "noop", "class": "noop/1"}], "isolation": "none", "gpuModel": None,
                     "region": "unknown", "os": sys.platform, "agent": "python-example/1"},
    "resources": {"gpuMilli": 0, "vramMib": 0, "cpuMilli": 1000, "memoryMib": 1024, "diskMib": 1024},
    "slots": 4,
    "asks": {"gpuHour": "0", "cpuHour": "10000"},
}


def base58(data: bytes) -> str:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def load_key(file: Path) -> Ed25519PrivateKey:
    """The key file of this project and of Solana: a JSON list of 64 bytes, the seed and then the public key."""
    if file.exists():
        return Ed25519PrivateKey.from_private_bytes(bytes(json.loads(file.read_text())[:32]))
    key = Ed25519PrivateKey.generate()
    file.touch(mode=0o600)
    file.write_text(json.dumps([*key.private_bytes_raw(), *key.public_key().public_bytes_raw()]))
    return key


class Worker:
    def __init__(self, url: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.audience = urlsplit(url).netloc
        self.url = url.replace("http", "ws", 1).rstrip("/") + "/v1/worker"
        self.key = load_key(folder / "key.json")
        self.address = base58(self.key.public_key().public_bytes_raw())
        self.outbox = folder / "outbox.json"
        self.receipts: dict[str, str] = json.loads(self.outbox.read_text()) if self.outbox.exists() else {}
        self.running: dict[str, tuple[dict, asyncio.Task]] = {}
        self.draining = False
        self.socket, self.pace, self.heard = None, asyncio.Lock(), time.monotonic()

    async def run(self) -> None:
        """Connects again and again until it has drained; waits longer each time."""
        delay = 0.25
        while not self.is_done():
            try:
                async with connect(self.url, max_size=262_144, compression=None, ping_interval=None) as socket:
                    await self.log_in(socket)
                    delay = 0.25
                    await self.serve(socket)
            except (ConnectionClosed, OSError, asyncio.TimeoutError) as error:
                code = error.rcvd.code if isinstance(error, ConnectionClosed) and error.rcvd else None
                if code in FATAL:
                    raise SystemExit(f"refused ({code} {error.rcvd.reason}): {FATAL[code]}") from None
                print(f"not connected: {error}", flush=True)
            self.socket = None
            await asyncio.sleep(delay * random.uniform(0.5, 1))
            delay = min(delay * 2, 2 if self.running else 8)

    async def log_in(self, socket) -> None:
        ask = json.loads(await asyncio.wait_for(socket.recv(), 10))
        begin, end = (datetime.fromisoformat(ask[name].replace("Z", "+00:00")) for name in ("issuedAt", "expiresAt"))
        words = [ask[name] for name in ("network", "audience", "nonce")]
        is_sound = all(word.isascii() and word.isprintable() and " " not in word for word in words)
        if not set(VERSIONS) & set(ask["versions"]):
            raise SystemExit(f"it speaks versions {ask['versions']}, this worker {VERSIONS}: update")
        if ask["audience"] != self.audience or not is_sound or not 0 < (end - begin).total_seconds() <= 60:
            raise SystemExit("the challenge is not for this worker")
        text = LOGIN_TEXT.format(address=self.address, **ask)
        login = {"type": "login", "versions": VERSIONS, "publicKey": self.address, "nonce": ask["nonce"],
                 "signature": self.sign(text.encode()), "profile": PROFILE, "holding": self.holding()}
        await socket.send(json.dumps(login))
        self.welcome = json.loads(await asyncio.wait_for(socket.recv(), 10))
        self.network, self.seq, self.socket, self.heard = ask["network"], 0, socket, time.monotonic()
        self.stop(self.welcome["gone"])
        print(f"joined as {self.welcome['workerId']}", flush=True)

    def sign(self, message: bytes) -> str:
        return base58(self.key.sign(message))

    def holding(self) -> list[dict]:
        held = [offer for offer, _ in self.running.values()] + [json.loads(text) for text in self.receipts.values()]
        return [{"attemptId": one["attemptId"], "fence": one["fence"]} for one in held]

    async def say(self, kind: str, **members) -> None:
        """Sends a frame of the session. One that is lost is not missed: the next session sends what has to arrive."""
        async with self.pace:
            if self.socket is None:
                return
            self.seq += 1
            with contextlib.suppress(ConnectionClosed):
                frame = {"type": kind, "session": self.welcome["session"], "seq": self.seq, **members}
                await self.socket.send(json.dumps(frame))
                await asyncio.sleep(FRAME_EVERY_S)

    async def serve(self, socket) -> None:
        beating = asyncio.create_task(self.beat())
        try:
            if self.draining:
                await self.say("drain")
            await self.report(*self.receipts)
            async for frame in socket:
                self.heard = time.monotonic()
                await self.hear(json.loads(frame))
                if self.is_done():
                    return
        finally:
            beating.cancel()

    async def hear(self, message: dict) -> None:
        if message["type"] == "offer":
            offers = {offer["attemptId"]: offer for offer in message["offers"]}
            leases = [{"attemptId": one["attemptId"], "fence": one["fence"]} for one in offers.values()]
            if self.draining:
                return await self.say("refuse", leases=leases, reason="draining")
            await self.say("accept", leases=leases)
            for attempt in offers.keys() - self.running.keys() - self.receipts.keys():
                self.running[attempt] = (offers[attempt], asyncio.create_task(self.perform(offers[attempt])))
        elif message["type"] in ("active", "cancel"):
            self.stop(message["gone"] if message["type"] == "active" else message["attempts"])
        elif message["type"] == "receipts.ack":
            for ack in message["receipts"]:  # Whatever the answer is, it is the last word.
                print(f"receipt {ack['status']} {ack.get('code', '')}: {ack['attemptId']}", flush=True)
                self.keep(ack["attemptId"], None)

    async def beat(self) -> None:
        timing, beats = self.welcome["timing"], 0
        while True:
            await asyncio.sleep(timing["heartbeatMs"] / 2000)
            if time.monotonic() - self.heard > timing["selfStopMs"] / 1000:
                self.stop(list(self.running))  # Its leases are about to end: others may begin the same tasks.
                return await self.socket.close()
            if (beats := beats + 1) % 2 == 0:
                await self.say("heartbeat", attempts=[one["attemptId"] for one in self.holding()])
            if beats % 4 == 0:
                await self.report(*self.receipts)  # Not answered for about 10 s.

    def stop(self, attempts: list[str]) -> None:
        for attempt in attempts:
            if attempt in self.running:
                self.running.pop(attempt)[1].cancel()

    async def perform(self, offer: dict) -> None:
        began, cpu, noop = time.monotonic(), time.process_time(), json.loads(offer["payload"])["noop"]
        await asyncio.sleep(noop.get("sleepMs", 0) / 1000)
        failure = {"code": "FAILED_AS_TOLD", "message": noop["fail"], "fault": "job"} if "fail" in noop else None
        now, memory = int(time.time() * 1000), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        spent = {"billableMs": time.monotonic() - began, "cpuMs": time.process_time() - cpu}
        receipt = {
            "network": self.network, "audience": self.audience, "workerId": self.welcome["workerId"],
            **{name: offer[name] for name in ("jobId", "taskId", "attemptId", "fence")},
            "taskDigest": "sha256:" + hashlib.sha256(offer["payload"].encode()).hexdigest(), "runtimeClass": "noop/1",
            "outcome": "failed" if failure else "succeeded", "failure": failure,
            "outputs": [], "commitment": None, "metrics": {}, "issuedAtMs": now, "expiresAtMs": now + WEEK_MS,
            "usage": {name: int(seconds * 1000) for name, seconds in spent.items()} | {"maxRssMib": memory},
        }
        self.keep(offer["attemptId"], json.dumps(receipt, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
        del self.running[offer["attemptId"]]
        await self.report(offer["attemptId"])

    def keep(self, attempt: str, text: str | None) -> None:
        """Remembers a receipt on disk, or forgets it."""
        self.receipts.pop(attempt, None) if text is None else self.receipts.update({attempt: text})
        fresh = self.outbox.with_suffix(".new")
        fresh.write_text(json.dumps(self.receipts))
        fresh.replace(self.outbox)

    async def report(self, *attempts: str) -> None:
        """One receipt a frame, so the root that is signed is the hash of that receipt."""
        for attempt in attempts:
            if (text := self.receipts.get(attempt)) is not None:
                root = hashlib.sha256(b"\0" + text.encode()).digest()
                await self.say("receipts", receipts=[text], signature=self.sign(b"tidemill/receipts/1\n" + root))

    def is_done(self) -> bool:
        return self.draining and not self.running and not self.receipts

    async def drain(self) -> None:
        self.draining = True
        await self.say("drain")
        if self.is_done() and self.socket is not None:
            await self.socket.close()


async def main(url: str, folder: str) -> None:
    worker = Worker(url, Path(folder))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, lambda: asyncio.ensure_future(worker.drain()))
    await worker.run()
    print("left", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
