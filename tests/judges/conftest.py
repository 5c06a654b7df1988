"""Makes the ideal cell of the simulator tests importable here, too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "simulators"))
