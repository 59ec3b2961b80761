"""Well-known networks, as in `keras.applications`: definitions, published weights, preprocessing and decoding.

    from jkeras import applications

    model = applications.MobileNetV2(include_top=False, pooling="avg")         # ImageNet weights
    images = applications.mobilenet_v2.preprocess_input(images)

Each network has Keras's arguments, layers and weights, so Keras's weight files load. One definition creates the models of
both faces.
"""

from typing import TYPE_CHECKING

from jkeras.applications.catalogue import HOMES, MODULES
from jkeras.lazy import names_from

if TYPE_CHECKING:
    from jkeras.applications import convnext as convnext
    from jkeras.applications import densenet as densenet
    from jkeras.applications import efficientnet as efficientnet
    from jkeras.applications import efficientnet_v2 as efficientnet_v2
    from jkeras.applications import imagenet_utils as imagenet_utils
    from jkeras.applications import inception_resnet_v2 as inception_resnet_v2
    from jkeras.applications import inception_v3 as inception_v3
    from jkeras.applications import mobilenet as mobilenet
    from jkeras.applications import mobilenet_v2 as mobilenet_v2
    from jkeras.applications import mobilenet_v3 as mobilenet_v3
    from jkeras.applications import nasnet as nasnet
    from jkeras.applications import resnet as resnet
    from jkeras.applications import resnet50 as resnet50
    from jkeras.applications import resnet_v2 as resnet_v2
    from jkeras.applications import vgg16 as vgg16
    from jkeras.applications import vgg19 as vgg19
    from jkeras.applications import xception as xception
    from jkeras.applications.convnext import ConvNeXtBase as ConvNeXtBase
    from jkeras.applications.convnext import ConvNeXtLarge as ConvNeXtLarge
    from jkeras.applications.convnext import ConvNeXtSmall as ConvNeXtSmall
    from jkeras.applications.convnext import ConvNeXtTiny as ConvNeXtTiny
    from jkeras.applications.convnext import ConvNeXtXLarge as ConvNeXtXLarge
    from jkeras.applications.densenet import DenseNet121 as DenseNet121
    from jkeras.applications.densenet import DenseNet169 as DenseNet169
    from jkeras.applications.densenet import DenseNet201 as DenseNet201
    from jkeras.applications.efficientnet import EfficientNetB0 as EfficientNetB0
    from jkeras.applications.efficientnet import EfficientNetB1 as EfficientNetB1
    from jkeras.applications.efficientnet import EfficientNetB2 as EfficientNetB2
    from jkeras.applications.efficientnet import EfficientNetB3 as EfficientNetB3
    from jkeras.applications.efficientnet import EfficientNetB4 as EfficientNetB4
    from jkeras.applications.efficientnet import EfficientNetB5 as EfficientNetB5
    from jkeras.applications.efficientnet import EfficientNetB6 as EfficientNetB6
    from jkeras.applications.efficientnet import EfficientNetB7 as EfficientNetB7
    from jkeras.applications.efficientnet_v2 import EfficientNetV2B0 as EfficientNetV2B0
    from jkeras.applications.efficientnet_v2 import EfficientNetV2B1 as EfficientNetV2B1
    from jkeras.applications.efficientnet_v2 import EfficientNetV2B2 as EfficientNetV2B2
    from jkeras.applications.efficientnet_v2 import EfficientNetV2B3 as EfficientNetV2B3
    from jkeras.applications.efficientnet_v2 import EfficientNetV2L as EfficientNetV2L
    from jkeras.applications.efficientnet_v2 import EfficientNetV2M as EfficientNetV2M
    from jkeras.applications.efficientnet_v2 import EfficientNetV2S as EfficientNetV2S
    from jkeras.applications.inception_resnet_v2 import InceptionResNetV2 as InceptionResNetV2
    from jkeras.applications.inception_v3 import InceptionV3 as InceptionV3
    from jkeras.applications.mobilenet import MobileNet as MobileNet
    from jkeras.applications.mobilenet_v2 import MobileNetV2 as MobileNetV2
    from jkeras.applications.mobilenet_v3 import MobileNetV3Large as MobileNetV3Large
    from jkeras.applications.mobilenet_v3 import MobileNetV3Small as MobileNetV3Small
    from jkeras.applications.nasnet import NASNetLarge as NASNetLarge
    from jkeras.applications.nasnet import NASNetMobile as NASNetMobile
    from jkeras.applications.resnet import ResNet50 as ResNet50
    from jkeras.applications.resnet import ResNet101 as ResNet101
    from jkeras.applications.resnet import ResNet152 as ResNet152
    from jkeras.applications.resnet_v2 import ResNet50V2 as ResNet50V2
    from jkeras.applications.resnet_v2 import ResNet101V2 as ResNet101V2
    from jkeras.applications.resnet_v2 import ResNet152V2 as ResNet152V2
    from jkeras.applications.vgg16 import VGG16 as VGG16
    from jkeras.applications.vgg19 import VGG19 as VGG19
    from jkeras.applications.xception import Xception as Xception
else:
    _TABLE = {name: f"{__name__}.{module}" for name, module in HOMES.items()}
    _TABLE |= dict.fromkeys((*MODULES, "imagenet_utils"), __name__)
    __all__ = sorted(_TABLE)
    __getattr__, __dir__ = names_from(__name__, _TABLE)
