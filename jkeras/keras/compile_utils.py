"""The losses and metrics of `compile` for models with one or more, possibly nested, outputs."""

from __future__ import annotations

from jkeras.keras.compiled_loss import CompileLoss as CompileLoss
from jkeras.keras.compiled_metrics import CompileMetrics as CompileMetrics
from jkeras.keras.compiled_metrics import MetricsList as MetricsList
