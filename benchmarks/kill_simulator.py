"""``rig simulate`` beside a run that ``kill.py`` disturbs: served, killed, and served again."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from kill_runs import Kill, Place
from kill_watch import Process, kill, look, wait_for

from rig.core.clock import RealClock
from rig.store.alarms import acknowledge_alarms, open_alarms
from rig.store.database import open_database


@dataclass
class Simulator:
    """``rig simulate`` in a process of its own, for one place; its cell is new at each start."""

    place: Place
    seed: int
    process: Process | None = None

    def start(self) -> None:
        """Start it and let the place's bench file point to it, without a watchdog."""
        bench = self.place.folder / "bench.yaml"
        options = ("--speed", f"{self.place.speed:g}", "--seed", str(self.seed), "--json")
        words = ("simulate", "--bench", "sim.yaml", *options, "--write-bench", "bench.yaml")
        command = [sys.executable, "-m", "rig", *words]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=bench.parent, stdout=pipe, text=True)
        self.place.address = self._addresses()["smu"]
        with bench.open("a", encoding="utf-8") as file:
            file.write("watchdog: off\n")

    def _addresses(self) -> dict[str, str]:
        assert self.process is not None
        assert self.process.stdout is not None
        text = ""
        for line in self.process.stdout:  # it closes the pipe when it dies
            text += line
            with contextlib.suppress(json.JSONDecodeError):
                return dict(json.loads(text)["instruments"])
        raise RuntimeError(f"rig simulate said {text!r}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.communicate()
            self.process = None

    def strike(self, place: Place, process: Process) -> Kill | None:
        """kill -9 of the simulators; the engine has to end by itself. They come back with a new cell."""
        if process.poll() is not None:
            return None
        seen = place.see()
        self.stop(signal.SIGKILL)
        if not wait_for(lambda: process.poll() is not None, 60.0):
            place.wrong.append("the engine did not end after its instruments had gone")
            kill(process)
        after = look(place.database)
        place.acknowledged = max(place.acknowledged, after.rows, key=len)
        has_begun = after.lives > place.lives
        ended = after.states[-1].partition(":")[0] if has_begun else "refused to begin"
        self.start()
        return Kill(place.state(seen), False, False, len(seen.rows), ended=self._ended(ended))

    def _ended(self, state: str) -> str:
        """Acknowledge the alarms, as somebody has to before the channel may be used again."""
        engine = open_database(f"sqlite:///{self.place.database}")
        with contextlib.ExitStack() as closing:
            closing.callback(engine.dispose)
            alarms = open_alarms(engine)
            now_us, reason = RealClock().wall_us(), "simulators were killed on purpose"
            acknowledge_alarms(engine, alarms, wall_us=now_us, who="kill.py", reason=reason)
        critical = any(alarm.kind == "unconfirmed-safe-state" for alarm in alarms)
        return f"{state}, loudest alarm" if critical else state


@contextlib.contextmanager
def served(place: Place, seed: int) -> Iterator[Simulator]:
    """Serve the place's instruments as long as the block lasts."""
    simulator = Simulator(place, seed)
    simulator.start()
    try:
        yield simulator
    finally:
        simulator.stop()
