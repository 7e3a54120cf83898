"""Compare covet with FastAPI on uvicorn and with axum: CPU seconds a request, alternating, on one core.

Called by `benches/run.sh`, which makes the environments. All servers run, one is asked at a time, the order
rotates every round. The figure is CPU time of the server divided by the requests that wrk counted, so a busy
machine disturbs it little.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")
ORDER = {
    "id": 4711,
    "status": "paid",
    "notes": "Deliver to the back door, please ring twice.",
    "total": 2150.0,
    "customer": {"name": "Ada Lovelace", "email": "ada@example.org", "age": 36, "address": {
        "street": "12 St James's Square", "city": "London", "zip": "SW1Y 4JH", "country": "GB"}},
    "lines": [
        {"sku": "AE-0001", "name": "Analytical engine", "qty": 1, "price": 1999.5, "tags": ["brass"]},
        {"sku": "PC-0100", "name": "Punched cards", "qty": 500, "price": 0.25, "tags": ["paper", "cards"]},
        {"sku": "BK-0007", "name": "Sketch", "qty": 2, "price": 12.75, "tags": ["book"]},
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Workload:
    """One request, sent over and over."""

    path: str
    variant: str = "base"
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, object] | None = None
    connections: int = 64
    fastapi_path: str = ""
    status: int = 200
    axum: bool = True


WORKLOADS = {
    "plaintext": Workload("/plaintext"),
    "json": Workload("/json"),
    "params": Workload("/items/42?q=abc&limit=10"),
    "body": Workload("/body", headers={"Content-Type": "application/json"}, body=ORDER),
    "list": Workload("/list"),
    "di": Workload("/di", headers={"X-Token": "tok", "Cookie": "session=abc"}, axum=False),
    "mw": Workload("/json", "mw", {"Origin": "http://example.org", "Accept-Encoding": "gzip"}, axum=False),
    "json_sync": Workload("/json-sync"),
    "json_inline": Workload("/json-inline", fastapi_path="/json-sync", axum=False),
    "sleep0": Workload("/sleep0"),
    "sleep10": Workload("/sleep10", connections=256),
    "routes_last": Workload("/api/v1/res999/7/detail", "routes"),
    "routes_miss": Workload("/api/v1/nope", "routes", status=404),
}
COMMANDS = {
    "covet": "{covet}/covet run app:app --app-dir {here} --host 127.0.0.1 --port {port} --no-access-log "
    "--log-level warning",
    "fastapi": "{peers}/python -m uvicorn app:app --app-dir {here} --host 127.0.0.1 --port {port} "
    "--no-access-log --log-level warning --loop uvloop --http httptools",
    "axum": "{limit} {port}",
}


class Server:
    """One server process, pinned to core 0."""

    def __init__(self, name: str, variant: str, port: int, places: dict[str, str]) -> None:
        self.name, self.port = name, port
        command = COMMANDS[name].format(port=port, here=HERE, **places).split()
        environment = {**os.environ, "BENCH_FRAMEWORK": name, "BENCH_VARIANT": variant}
        self.process = subprocess.Popen(
            ["taskset", "-c", "0", *command], env=environment, start_new_session=True
        )
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.05)
        raise SystemExit(f"{name} does not listen")

    def cpu(self) -> float:
        """CPU seconds of the process and its threads so far; exact where the kernel tells nanoseconds."""
        pid = self.process.pid
        try:
            tasks = Path(f"/proc/{pid}/task").iterdir()
            return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
        except (OSError, ValueError):
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / TICK

    def stop(self) -> None:
        """End the whole process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def path_for(server: str, workload: Workload) -> str:
    return workload.fastapi_path if server == "fastapi" and workload.fastapi_path else workload.path


def answer_of(server: Server, workload: Workload) -> tuple[int, object]:
    """Return status and JSON (or text) of one request, to be compared between the servers."""
    data = json.dumps(workload.body).encode() if workload.body else None
    url = f"http://127.0.0.1:{server.port}{path_for(server.name, workload)}"
    request = urllib.request.Request(url, data, workload.headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        status, text = refusal.code, ""
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


def slice_of(server: Server, workload: Workload, seconds: float, body_file: str) -> tuple[float, float]:
    """Run wrk once; return (CPU µs a request, requests a second)."""
    environment = {**os.environ, "WRK_BODY_FILE": body_file}
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{workload.connections}", f"-d{seconds}s"]
    for name, value in workload.headers.items():
        command += ["-H", f"{name}: {value}"]
    command += [
        "-s",
        str(HERE / "report.lua"),
        f"http://127.0.0.1:{server.port}{path_for(server.name, workload)}",
    ]
    before = server.cpu()
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    used = server.cpu() - before
    counted = json.loads(run.stdout.split("RESULT ", 1)[1])
    if counted["refused"] and workload.status == 200:
        raise SystemExit(f"{server.name} refused {counted['refused']} requests of {workload.path}")
    return 1e6 * used / counted["requests"], counted["requests"] / counted["seconds"]


def measure(name: str, arguments: argparse.Namespace, places: dict[str, str]) -> dict[str, dict[str, float]]:
    """Measure one workload on every server that has it."""
    workload = WORKLOADS[name]
    wanted = [s for s in arguments.servers.split(",") if s != "axum" or (workload.axum and places["limit"])]
    servers = [Server(s, workload.variant, arguments.port + i, places) for i, s in enumerate(wanted)]
    rows: dict[str, list[tuple[float, float]]] = {server.name: [] for server in servers}
    try:
        answers = {server.name: answer_of(server, workload) for server in servers}
        if any(status != workload.status for status, _ in answers.values()):
            raise SystemExit(f"{name}: {answers}")
        if answers.get("fastapi", answers["covet"]) != answers["covet"]:
            raise SystemExit(f"{name}: the answers differ: {answers}")
        with tempfile.NamedTemporaryFile("w") as body:
            json.dump(workload.body, body) if workload.body else None
            body.flush()
            body_file = body.name if workload.body else ""
            for server in servers:
                slice_of(server, workload, 1, body_file)
            for number in range(arguments.rounds):
                for server in servers[number % len(servers) :] + servers[: number % len(servers)]:
                    rows[server.name].append(slice_of(server, workload, arguments.seconds, body_file))
    finally:
        for server in servers:
            server.stop()
    return {
        server: {
            "cpu_us": statistics.median(r[0] for r in found),
            "rps": statistics.median(r[1] for r in found),
        }
        for server, found in rows.items()
    }


def main() -> None:
    """Measure and print a table; `--json` keeps the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--servers", default="covet,fastapi,axum")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--port", type=int, default=18700)
    parser.add_argument("--covet", required=True, help="folder of the covet command")
    parser.add_argument("--peers", required=True, help="folder of the peers' python")
    parser.add_argument("--limit", default="", help="the axum program")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    places = {"covet": arguments.covet, "peers": arguments.peers, "limit": arguments.limit}
    results = {}
    print(
        "| workload | covet µs CPU | req/s | x FastAPI (CPU) | share of axum (CPU) |\n|---|--:|--:|--:|--:|"
    )
    for name in arguments.workloads.split(","):
        results[name] = found = measure(name, arguments, places)
        covet = found["covet"]
        ratio = f"{found['fastapi']['cpu_us'] / covet['cpu_us']:.1f}" if "fastapi" in found else ""
        share = f"{found['axum']['cpu_us'] / covet['cpu_us']:.2f}" if "axum" in found else ""
        print(f"| {name} | {covet['cpu_us']:.1f} | {covet['rps']:,.0f} | {ratio} | {share} |", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    sys.exit(main())
