"""Detects a dead process at once; without it, collectives would hang.

Every process holds an open connection to process 0. When a process dies, for whatever reason, its connection closes, and
process 0 tells the others. They cannot continue, because their threads wait inside a collective for a peer that is gone, so
they print an error and exit. JAX would also notice, but later (after `heartbeat_timeout`) and with a stack trace instead.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Iterator

import jax

from jkeras.distribute import consistency
from jkeras.distribute.processes import ADDRESSES

CONNECT_SECONDS = 5.0
ACCEPT_SECONDS = 30.0
# How long a process may continue after another one has exited normally: it may be about to exit, too.
GRACE = 10.0
STATUS = 75  # EX_TEMPFAIL: try again
BYE = b"."


def message(dead: int, own: int, count: int) -> str:
    """The message that a process prints before it exits."""
    return (
        f"jkeras.errors.ProcessError: process {own} of {count} exits, because process {dead}, which trains the same model, is"
        f" gone; its own output says why. Restart all of them: with the callback `BackupAndRestore` they resume from the"
        f" last backup."
    )


def end(dead: int) -> None:
    """Exits this process, whatever its threads are waiting for."""
    print("\n" + message(dead, jax.process_index(), jax.process_count()), file=sys.stderr, flush=True)
    sys.stdout.flush()
    os._exit(STATUS)


class Watch:
    """The connections of one process.

    Attributes:
        depth: the nesting depth of current runs with the other processes; 0 for none.
        runs: the number of runs that have ended.
    """

    def __init__(self, lost: Callable[[int], None] = end):
        self.lost = lost
        self.depth: int = 0
        self.runs: int = 0
        self.connections: dict[int, socket.socket] = {}
        own, count = jax.process_index(), jax.process_count()
        server = _listening() if own == 0 else None
        announcement = {"token": secrets.token_hex(16), "hosts": ",".join(_own_hosts()), "port": "0"}
        if server is not None:
            announcement["port"] = str(server.getsockname()[1])
        hub = consistency.everywhere(announcement)[0]
        if server is not None:
            self._start(self._accept, server, hub["token"], count - 1)
        else:
            connection = _connected(hub["hosts"].split(","), int(hub["port"]))
            if connection is None:
                return  # JAX will notice later
            connection.sendall(f"{hub['token']} {own:08d}\n".encode())
            self.connections[0] = connection
            self._start(self._listen, 0, connection)
        # This must run before the exit handler of `jax.distributed`, which waits for the other processes.
        atexit.register(self.leave)

    @staticmethod
    def _start(function: Callable[..., None], *args: object) -> None:
        threading.Thread(target=function, args=args, daemon=True, name="jkeras-watch").start()

    def _accept(self, server: socket.socket, token: str, count: int) -> None:
        length = len(token) + 10
        with server:
            server.settimeout(ACCEPT_SECONDS)
            while len(self.connections) < count:
                try:
                    connection, _ = server.accept()
                    connection.settimeout(CONNECT_SECONDS)
                    greeting = connection.recv(length, socket.MSG_WAITALL).decode("ascii", "replace")
                    connection.settimeout(None)
                except TimeoutError:
                    return
                except OSError:
                    continue
                secret, _, number = greeting.strip().partition(" ")
                if not secrets.compare_digest(secret, token) or not number.isdigit():
                    connection.close()
                    continue
                self.connections[int(number)] = connection
                self._start(self._listen, int(number), connection)

    def _listen(self, number: int, connection: socket.socket) -> None:
        """Waits until a connection closes or a message arrives: that its peer or (from process 0) another process exited."""
        text = b""
        while not text.endswith((BYE, b"\n")):
            try:
                more = connection.recv(64)
            except OSError:
                more = b""
            if not more:
                return self._tell(number)
            text += more
        if text.endswith(BYE):
            run = self.runs
            threading.Event().wait(GRACE)
            if self.depth and run == self.runs:
                self._tell(number)
            return None
        return self._tell(int(text.strip()))

    def _tell(self, dead: int) -> None:
        for number, connection in list(self.connections.items()):
            if number != dead and jax.process_index() == 0:
                try:
                    connection.sendall(f"{dead}\n".encode())
                except OSError:
                    continue
        self.lost(dead)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Marks a block in which this process may have to wait for the others."""
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1
            self.runs += 1

    def leave(self) -> None:
        """Tells the others that this process exits normally."""
        for connection in self.connections.values():
            try:
                connection.sendall(BYE)
            except OSError:
                continue


def _listening() -> socket.socket:
    return socket.create_server(("", 0))


def _own_hosts() -> list[str]:
    """Addresses at which other processes may reach this one, the most likely first."""
    hosts = [address.rpartition(":")[0] for address in os.environ.get(ADDRESSES, "").split(",")[:1] if ":" in address]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 9))  # sends nothing, but selects the outgoing address
            hosts.append(probe.getsockname()[0])
        except OSError:
            pass
    return list(dict.fromkeys([*hosts, socket.gethostname(), "127.0.0.1"]))


def _connected(hosts: list[str], port: int) -> socket.socket | None:
    for host in hosts:
        try:
            connection = socket.create_connection((host, port), timeout=CONNECT_SECONDS)
        except OSError:
            continue
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.settimeout(None)
        return connection
    return None


@functools.lru_cache(maxsize=1)
def watch() -> Watch:
    """The connections of this process, opened on first use; all processes must call this at the same point."""
    return Watch()
