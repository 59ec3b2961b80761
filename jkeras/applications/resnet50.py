"""ResNet50 under its older module name."""

from jkeras.applications.resnet import ResNet50 as ResNet50
from jkeras.applications.resnet import decode_predictions as decode_predictions
from jkeras.applications.resnet import preprocess_input as preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
