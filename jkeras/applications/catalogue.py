"""The networks and their modules in Keras."""

from __future__ import annotations

# The networks by module; "resnet50" is an older name for a part of "resnet".
MODULES: dict[str, tuple[str, ...]] = {
    module: tuple(names.split())
    for module, names in {
        "convnext": "ConvNeXtTiny ConvNeXtSmall ConvNeXtBase ConvNeXtLarge ConvNeXtXLarge",
        "densenet": "DenseNet121 DenseNet169 DenseNet201",
        "efficientnet": " ".join(f"EfficientNetB{size}" for size in range(8)),
        "efficientnet_v2": " ".join(f"EfficientNetV2{size}" for size in "B0 B1 B2 B3 S M L".split()),
        "inception_resnet_v2": "InceptionResNetV2",
        "inception_v3": "InceptionV3",
        "mobilenet": "MobileNet",
        "mobilenet_v2": "MobileNetV2",
        "mobilenet_v3": "MobileNetV3Small MobileNetV3Large",
        "nasnet": "NASNetMobile NASNetLarge",
        "resnet": "ResNet50 ResNet101 ResNet152",
        "resnet50": "ResNet50",
        "resnet_v2": "ResNet50V2 ResNet101V2 ResNet152V2",
        "vgg16": "VGG16",
        "vgg19": "VGG19",
        "xception": "Xception",
    }.items()
}
# The module that defines each network.
HOMES: dict[str, str] = {name: module for module, names in MODULES.items() if module != "resnet50" for name in names}
