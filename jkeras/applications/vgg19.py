"""VGG19, a deep network of small convolutions."""

from jkeras.applications.imagenet_utils import decode_predictions as decode_predictions
from jkeras.applications.imagenet_utils import preprocess_caffe as preprocess_input
from jkeras.applications.signatures import Network
from jkeras.applications.value_face import of_values
from jkeras.applications.vgg import vgg

APPLICATIONS = {"VGG19": vgg("vgg19")}
VGG19: Network = of_values(APPLICATIONS["VGG19"], __name__)

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]
