"""The table of modes."""

from __future__ import annotations

from jkeras.quantization.calibrated_modes import CALIBRATED
from jkeras.quantization.modes import PLAIN, Mode

MODES: dict[str, Mode] = {**PLAIN, **CALIBRATED}
