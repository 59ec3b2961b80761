"""Residual networks (He et al., 2015, https://arxiv.org/abs/1512.03385)."""

from jkeras.applications.imagenet_utils import decode_predictions as decode_predictions
from jkeras.applications.imagenet_utils import preprocess_caffe as preprocess_input
from jkeras.applications.residual import resnet
from jkeras.applications.signatures import Network
from jkeras.applications.value_face import of_values

APPLICATIONS = {f"ResNet{depth}": resnet(depth) for depth in ("50", "101", "152")}
ResNet50: Network = of_values(APPLICATIONS["ResNet50"], __name__)
ResNet101: Network = of_values(APPLICATIONS["ResNet101"], __name__)
ResNet152: Network = of_values(APPLICATIONS["ResNet152"], __name__)

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]
