"""``python -m rig`` is the command ``rig``."""

from rig.cli.main import run

run()
