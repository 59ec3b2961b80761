"""The networks: their modules in Keras, the sizes of their features, and their papers."""

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
# The number of channels of each network's last feature map.
FEATURES: dict[str, int] = {
    **dict.fromkeys(("VGG16", "VGG19"), 512),
    **dict.fromkeys(("ConvNeXtTiny", "ConvNeXtSmall"), 768),
    "ConvNeXtBase": 1024,
    "ConvNeXtLarge": 1536,
    "ConvNeXtXLarge": 2048,
    "DenseNet121": 1024,
    "DenseNet169": 1664,
    "DenseNet201": 1920,
    **dict(zip((f"EfficientNetB{i}" for i in range(8)), (1280, 1280, 1408, 1536, 1792, 2048, 2304, 2560), strict=True)),
    **dict.fromkeys((f"EfficientNetV2{size}" for size in ("B0", "B1", "S", "M", "L")), 1280),
    "EfficientNetV2B2": 1408,
    "EfficientNetV2B3": 1536,
    "InceptionResNetV2": 1536,
    **dict.fromkeys(("InceptionV3", "Xception"), 2048),
    "MobileNet": 1024,
    "MobileNetV2": 1280,
    "MobileNetV3Small": 576,
    "MobileNetV3Large": 960,
    "NASNetMobile": 1056,
    "NASNetLarge": 4032,
    **dict.fromkeys((f"ResNet{depth}{version}" for depth in (50, 101, 152) for version in ("", "V2")), 2048),
}
# The paper of each module's networks.
PAPERS: dict[str, str] = {
    "convnext": "Liu et al., 2022, https://arxiv.org/abs/2201.03545",
    "densenet": "Huang et al., 2016, https://arxiv.org/abs/1608.06993",
    "efficientnet": "Tan and Le, 2019, https://arxiv.org/abs/1905.11946",
    "efficientnet_v2": "Tan and Le, 2021, https://arxiv.org/abs/2104.00298",
    "inception_resnet_v2": "Szegedy et al., 2016, https://arxiv.org/abs/1602.07261",
    "inception_v3": "Szegedy et al., 2015, https://arxiv.org/abs/1512.00567",
    "mobilenet": "Howard et al., 2017, https://arxiv.org/abs/1704.04861",
    "mobilenet_v2": "Sandler et al., 2018, https://arxiv.org/abs/1801.04381",
    "mobilenet_v3": "Howard et al., 2019, https://arxiv.org/abs/1905.02244",
    "nasnet": "Zoph et al., 2017, https://arxiv.org/abs/1707.07012",
    "resnet": "He et al., 2015, https://arxiv.org/abs/1512.03385",
    "resnet_v2": "He et al., 2016, https://arxiv.org/abs/1603.05027",
    "vgg16": "Simonyan and Zisserman, 2014, https://arxiv.org/abs/1409.1556",
    "vgg19": "Simonyan and Zisserman, 2014, https://arxiv.org/abs/1409.1556",
    "xception": "Chollet, 2016, https://arxiv.org/abs/1610.02357",
}
