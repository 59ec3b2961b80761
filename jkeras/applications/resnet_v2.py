"""Residual networks with activations before convolutions (He et al., 2016, https://arxiv.org/abs/1603.05027)."""

from jkeras.applications.imagenet_utils import decode_predictions as decode_predictions
from jkeras.applications.imagenet_utils import preprocess_tf as preprocess_input
from jkeras.applications.residual import resnet
from jkeras.applications.signatures import Network
from jkeras.applications.value_face import of_values

APPLICATIONS = {f"ResNet{depth}V2": resnet(depth, "V2") for depth in ("50", "101", "152")}
ResNet50V2: Network = of_values(APPLICATIONS["ResNet50V2"], __name__)
ResNet101V2: Network = of_values(APPLICATIONS["ResNet101V2"], __name__)
ResNet152V2: Network = of_values(APPLICATIONS["ResNet152V2"], __name__)

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]
