"""VGG16, a deep network of small convolutions."""

from jkeras.applications.imagenet_utils import decode_predictions as decode_predictions
from jkeras.applications.imagenet_utils import preprocess_caffe as preprocess_input
from jkeras.applications.signatures import Network
from jkeras.applications.value_face import of_values
from jkeras.applications.vgg import vgg

APPLICATIONS = {"VGG16": vgg("vgg16")}
VGG16: Network = of_values(APPLICATIONS["VGG16"], __name__)

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]
