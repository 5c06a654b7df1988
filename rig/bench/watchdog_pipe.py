"""The watchdog's process as the engine holds it: how it is started, spoken to, and let go.

Knows the process and its pipes; what is said through them is in watchdog.py.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
from contextlib import suppress

from rig.core.errors import RigError

READY = b"ready"
# -P: a file called rig.py in the folder that somebody works in is not this package.
COMMAND = ("-P", "-m", "rig.bench.watchdog_process")
# It loads in a second; one that has not after so long (a disk that hangs) never will.
_READY_SECOND = 60.0
_REMEDY = "watchdog: off in the bench file runs without it; nothing was switched on"


class Process:
    """The process and its pipes. It outlives Ctrl-C and the terminal: its session is its own."""

    def __init__(self, duty: bytes) -> None:
        """Start it and tell it its duty, which is waited for; no later line is. Raises RigError."""
        try:
            self._popen = subprocess.Popen(
                [sys.executable, *COMMAND],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as error:  # no memory for a process, say
            message = f"the watchdog process did not start: {error.strerror}"
            raise RigError(message, remedy=_REMEDY) from error
        self.pid = self._popen.pid
        if self.send(duty) and sys.platform != "win32":  # Windows: with Python 3.12
            os.set_blocking(self._pipe, False)

    @property
    def _pipe(self) -> int:
        assert self._popen.stdin is not None
        return self._popen.stdin.fileno()

    def require_ready(self) -> None:
        """Return once it has loaded all that it needs; raises RigError when it cannot."""
        if self._first_word() == READY:
            return
        self.kill()
        raise RigError(
            f"the watchdog process did not start: it ended with code {self._popen.returncode}",
            remedy=_REMEDY,
        )

    def _first_word(self) -> bytes:
        heard: list[bytes] = []
        assert self._popen.stdout is not None
        read = self._popen.stdout.readline
        listening = threading.Thread(target=lambda: heard.append(read()), name="watchdog")
        listening.start()
        listening.join(_READY_SECOND)
        if listening.is_alive():
            self._popen.kill()  # that ends the reading, too
            listening.join()
        return heard[0].strip()

    def send(self, line: bytes, patience_second: float = 0.0) -> bool:
        """Send a line; False when nobody reads: it is dead, or has been stopped for hours.

        A line that is longer than the pipe needs patience while the other side reads.
        """
        data = line + b"\n"
        try:
            while data:
                if patience_second:
                    select.select([], [self._pipe], [], patience_second)
                data = data[os.write(self._pipe, data) :]
        except OSError:
            return False
        return True

    def close(self, patience_second: float) -> None:
        """Break the pipe and wait for its end; one that is still at work then is left alone."""
        self._close_pipes()
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(patience_second)

    def let_go(self) -> None:
        """Break the pipe and wait for nothing."""
        self._close_pipes()

    @property
    def has_ended(self) -> bool:
        return self._popen.poll() is not None

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait()
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()
