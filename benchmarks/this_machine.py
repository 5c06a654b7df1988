"""What the figures of a benchmark depend on."""

from __future__ import annotations

import os
import platform


def machine() -> dict[str, object]:
    """Return what the figures depend on; the load is that of everybody on the machine."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "load_1_min": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }
