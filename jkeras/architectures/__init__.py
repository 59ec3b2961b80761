"""A few well-known networks, as functions that return models with fresh weights.

Networks that are also in `keras.applications` have the same layers with the same names, so its weight files load:
`ResNet50().load_weights("resnet50_weights.h5")`. No weights are downloaded; `jkeras.applications` has all of Keras's
networks, with its arguments and the published weights.
"""

from jkeras.architectures.gpt import GPT as GPT
from jkeras.architectures.resnet import ResNet18 as ResNet18
from jkeras.architectures.resnet import ResNet34 as ResNet34
from jkeras.architectures.resnet import ResNet50 as ResNet50
from jkeras.architectures.small import EfficientNetB0 as EfficientNetB0
from jkeras.architectures.small import MobileNetV2 as MobileNetV2
from jkeras.architectures.unet import UNet as UNet
from jkeras.architectures.vit import ViTTiny as ViTTiny
