"""Layers: what networks are made of."""

from typing import TYPE_CHECKING

from jkeras.lazy import names_from, names_in

if TYPE_CHECKING:
    from jkeras.graph.input import Input as Input
    from jkeras.graph.input import InputLayer as InputLayer
    from jkeras.graph.input_spec import InputSpec as InputSpec
    from jkeras.graph.layer import Layer as Layer
    from jkeras.layers.activation_layers import ELU as ELU
    from jkeras.layers.activation_layers import LeakyReLU as LeakyReLU
    from jkeras.layers.activation_layers import PReLU as PReLU
    from jkeras.layers.activation_layers import ReLU as ReLU
    from jkeras.layers.activation_layers import Softmax as Softmax
    from jkeras.layers.attention import AdditiveAttention as AdditiveAttention
    from jkeras.layers.attention import Attention as Attention
    from jkeras.layers.batch_normalization import BatchNormalization as BatchNormalization
    from jkeras.layers.convolution import Conv1D as Conv1D
    from jkeras.layers.convolution import Conv2D as Conv2D
    from jkeras.layers.convolution import Conv3D as Conv3D
    from jkeras.layers.convolution import Convolution1D as Convolution1D
    from jkeras.layers.convolution import Convolution2D as Convolution2D
    from jkeras.layers.convolution import Convolution3D as Convolution3D
    from jkeras.layers.core import Activation as Activation
    from jkeras.layers.core import Dense as Dense
    from jkeras.layers.core import Embedding as Embedding
    from jkeras.layers.core import Identity as Identity
    from jkeras.layers.core import Lambda as Lambda
    from jkeras.layers.core import Masking as Masking
    from jkeras.layers.core import ReversibleEmbedding as ReversibleEmbedding
    from jkeras.layers.depthwise_convolution import DepthwiseConv1D as DepthwiseConv1D
    from jkeras.layers.depthwise_convolution import DepthwiseConv2D as DepthwiseConv2D
    from jkeras.layers.depthwise_convolution import SeparableConv1D as SeparableConv1D
    from jkeras.layers.depthwise_convolution import SeparableConv2D as SeparableConv2D
    from jkeras.layers.depthwise_convolution import SeparableConvolution1D as SeparableConvolution1D
    from jkeras.layers.depthwise_convolution import SeparableConvolution2D as SeparableConvolution2D
    from jkeras.layers.einsum_dense import EinsumDense as EinsumDense
    from jkeras.layers.foreign import FlaxLayer as FlaxLayer
    from jkeras.layers.foreign import JaxLayer as JaxLayer
    from jkeras.layers.merging import Add as Add
    from jkeras.layers.merging import Average as Average
    from jkeras.layers.merging import Concatenate as Concatenate
    from jkeras.layers.merging import Dot as Dot
    from jkeras.layers.merging import Maximum as Maximum
    from jkeras.layers.merging import Minimum as Minimum
    from jkeras.layers.merging import Multiply as Multiply
    from jkeras.layers.merging import Subtract as Subtract
    from jkeras.layers.merging import add as add
    from jkeras.layers.merging import average as average
    from jkeras.layers.merging import concatenate as concatenate
    from jkeras.layers.merging import dot as dot
    from jkeras.layers.merging import maximum as maximum
    from jkeras.layers.merging import minimum as minimum
    from jkeras.layers.merging import multiply as multiply
    from jkeras.layers.merging import subtract as subtract
    from jkeras.layers.multi_head_attention import GroupQueryAttention as GroupQueryAttention
    from jkeras.layers.multi_head_attention import MultiHeadAttention as MultiHeadAttention
    from jkeras.layers.normalization import GroupNormalization as GroupNormalization
    from jkeras.layers.normalization import LayerNormalization as LayerNormalization
    from jkeras.layers.normalization import RMSNormalization as RMSNormalization
    from jkeras.layers.normalization import UnitNormalization as UnitNormalization
    from jkeras.layers.pooling import AdaptiveAveragePooling1D as AdaptiveAveragePooling1D
    from jkeras.layers.pooling import AdaptiveAveragePooling2D as AdaptiveAveragePooling2D
    from jkeras.layers.pooling import AdaptiveAveragePooling3D as AdaptiveAveragePooling3D
    from jkeras.layers.pooling import AdaptiveMaxPooling1D as AdaptiveMaxPooling1D
    from jkeras.layers.pooling import AdaptiveMaxPooling2D as AdaptiveMaxPooling2D
    from jkeras.layers.pooling import AdaptiveMaxPooling3D as AdaptiveMaxPooling3D
    from jkeras.layers.pooling import AveragePooling1D as AveragePooling1D
    from jkeras.layers.pooling import AveragePooling2D as AveragePooling2D
    from jkeras.layers.pooling import AveragePooling3D as AveragePooling3D
    from jkeras.layers.pooling import AvgPool1D as AvgPool1D
    from jkeras.layers.pooling import AvgPool2D as AvgPool2D
    from jkeras.layers.pooling import AvgPool3D as AvgPool3D
    from jkeras.layers.pooling import GlobalAveragePooling1D as GlobalAveragePooling1D
    from jkeras.layers.pooling import GlobalAveragePooling2D as GlobalAveragePooling2D
    from jkeras.layers.pooling import GlobalAveragePooling3D as GlobalAveragePooling3D
    from jkeras.layers.pooling import GlobalAvgPool1D as GlobalAvgPool1D
    from jkeras.layers.pooling import GlobalAvgPool2D as GlobalAvgPool2D
    from jkeras.layers.pooling import GlobalAvgPool3D as GlobalAvgPool3D
    from jkeras.layers.pooling import GlobalMaxPool1D as GlobalMaxPool1D
    from jkeras.layers.pooling import GlobalMaxPool2D as GlobalMaxPool2D
    from jkeras.layers.pooling import GlobalMaxPool3D as GlobalMaxPool3D
    from jkeras.layers.pooling import GlobalMaxPooling1D as GlobalMaxPooling1D
    from jkeras.layers.pooling import GlobalMaxPooling2D as GlobalMaxPooling2D
    from jkeras.layers.pooling import GlobalMaxPooling3D as GlobalMaxPooling3D
    from jkeras.layers.pooling import MaxPool1D as MaxPool1D
    from jkeras.layers.pooling import MaxPool2D as MaxPool2D
    from jkeras.layers.pooling import MaxPool3D as MaxPool3D
    from jkeras.layers.pooling import MaxPooling1D as MaxPooling1D
    from jkeras.layers.pooling import MaxPooling2D as MaxPooling2D
    from jkeras.layers.pooling import MaxPooling3D as MaxPooling3D
    from jkeras.layers.preprocessing.audio import MelSpectrogram as MelSpectrogram
    from jkeras.layers.preprocessing.audio import STFTSpectrogram as STFTSpectrogram
    from jkeras.layers.preprocessing.categorical import CategoryEncoding as CategoryEncoding
    from jkeras.layers.preprocessing.categorical import Discretization as Discretization
    from jkeras.layers.preprocessing.hashed_crossing import HashedCrossing as HashedCrossing
    from jkeras.layers.preprocessing.hashing import Hashing as Hashing
    from jkeras.layers.preprocessing.images.box_layers import MaxNumBoundingBoxes as MaxNumBoundingBoxes
    from jkeras.layers.preprocessing.images.colours import RandomBrightness as RandomBrightness
    from jkeras.layers.preprocessing.images.colours import RandomColorDegeneration as RandomColorDegeneration
    from jkeras.layers.preprocessing.images.colours import RandomColorJitter as RandomColorJitter
    from jkeras.layers.preprocessing.images.colours import RandomContrast as RandomContrast
    from jkeras.layers.preprocessing.images.colours import RandomGrayscale as RandomGrayscale
    from jkeras.layers.preprocessing.images.colours import RandomHue as RandomHue
    from jkeras.layers.preprocessing.images.colours import RandomInvert as RandomInvert
    from jkeras.layers.preprocessing.images.colours import RandomPosterization as RandomPosterization
    from jkeras.layers.preprocessing.images.colours import RandomSaturation as RandomSaturation
    from jkeras.layers.preprocessing.images.colours import Solarization as Solarization
    from jkeras.layers.preprocessing.images.geometry import RandomElasticTransform as RandomElasticTransform
    from jkeras.layers.preprocessing.images.geometry import RandomFlip as RandomFlip
    from jkeras.layers.preprocessing.images.geometry import RandomPerspective as RandomPerspective
    from jkeras.layers.preprocessing.images.geometry import RandomRotation as RandomRotation
    from jkeras.layers.preprocessing.images.geometry import RandomShear as RandomShear
    from jkeras.layers.preprocessing.images.geometry import RandomTranslation as RandomTranslation
    from jkeras.layers.preprocessing.images.geometry import RandomZoom as RandomZoom
    from jkeras.layers.preprocessing.images.histograms import AutoContrast as AutoContrast
    from jkeras.layers.preprocessing.images.histograms import (
        ContrastLimitedAdaptiveHistogramEqualization as ContrastLimitedAdaptiveHistogramEqualization,
    )
    from jkeras.layers.preprocessing.images.histograms import Equalization as Equalization
    from jkeras.layers.preprocessing.images.mixing import CutMix as CutMix
    from jkeras.layers.preprocessing.images.mixing import MixUp as MixUp
    from jkeras.layers.preprocessing.images.mixing import RandomErasing as RandomErasing
    from jkeras.layers.preprocessing.images.policies import AugMix as AugMix
    from jkeras.layers.preprocessing.images.policies import RandAugment as RandAugment
    from jkeras.layers.preprocessing.images.sharpness import RandomGaussianBlur as RandomGaussianBlur
    from jkeras.layers.preprocessing.images.sharpness import RandomSharpness as RandomSharpness
    from jkeras.layers.preprocessing.images.sizes import CenterCrop as CenterCrop
    from jkeras.layers.preprocessing.images.sizes import RandomCrop as RandomCrop
    from jkeras.layers.preprocessing.images.sizes import Resizing as Resizing
    from jkeras.layers.preprocessing.lookup import IntegerLookup as IntegerLookup
    from jkeras.layers.preprocessing.lookup import StringLookup as StringLookup
    from jkeras.layers.preprocessing.normalization import Normalization as Normalization
    from jkeras.layers.preprocessing.pipeline import Pipeline as Pipeline
    from jkeras.layers.preprocessing.rescaling import Rescaling as Rescaling
    from jkeras.layers.preprocessing.text import TextVectorization as TextVectorization
    from jkeras.layers.recurrent import GRU as GRU
    from jkeras.layers.recurrent import LSTM as LSTM
    from jkeras.layers.recurrent import RNN as RNN
    from jkeras.layers.recurrent import Bidirectional as Bidirectional
    from jkeras.layers.recurrent import ConvLSTM1D as ConvLSTM1D
    from jkeras.layers.recurrent import ConvLSTM2D as ConvLSTM2D
    from jkeras.layers.recurrent import ConvLSTM3D as ConvLSTM3D
    from jkeras.layers.recurrent import GRUCell as GRUCell
    from jkeras.layers.recurrent import LSTMCell as LSTMCell
    from jkeras.layers.recurrent import SimpleRNN as SimpleRNN
    from jkeras.layers.recurrent import SimpleRNNCell as SimpleRNNCell
    from jkeras.layers.recurrent import StackedRNNCells as StackedRNNCells
    from jkeras.layers.recurrent import TimeDistributed as TimeDistributed
    from jkeras.layers.recurrent import Wrapper as Wrapper
    from jkeras.layers.regularization import ActivityRegularization as ActivityRegularization
    from jkeras.layers.regularization import AlphaDropout as AlphaDropout
    from jkeras.layers.regularization import Dropout as Dropout
    from jkeras.layers.regularization import GaussianDropout as GaussianDropout
    from jkeras.layers.regularization import GaussianNoise as GaussianNoise
    from jkeras.layers.regularization import SpatialDropout1D as SpatialDropout1D
    from jkeras.layers.regularization import SpatialDropout2D as SpatialDropout2D
    from jkeras.layers.regularization import SpatialDropout3D as SpatialDropout3D
    from jkeras.layers.repeat import Repeat as Repeat
    from jkeras.layers.reshaping import Cropping1D as Cropping1D
    from jkeras.layers.reshaping import Cropping2D as Cropping2D
    from jkeras.layers.reshaping import Cropping3D as Cropping3D
    from jkeras.layers.reshaping import Flatten as Flatten
    from jkeras.layers.reshaping import Permute as Permute
    from jkeras.layers.reshaping import RepeatVector as RepeatVector
    from jkeras.layers.reshaping import Reshape as Reshape
    from jkeras.layers.reshaping import ZeroPadding1D as ZeroPadding1D
    from jkeras.layers.reshaping import ZeroPadding2D as ZeroPadding2D
    from jkeras.layers.reshaping import ZeroPadding3D as ZeroPadding3D
    from jkeras.layers.spectral_normalization import SpectralNormalization as SpectralNormalization
    from jkeras.layers.transposed_convolution import Conv1DTranspose as Conv1DTranspose
    from jkeras.layers.transposed_convolution import Conv2DTranspose as Conv2DTranspose
    from jkeras.layers.transposed_convolution import Conv3DTranspose as Conv3DTranspose
    from jkeras.layers.transposed_convolution import Convolution1DTranspose as Convolution1DTranspose
    from jkeras.layers.transposed_convolution import Convolution2DTranspose as Convolution2DTranspose
    from jkeras.layers.transposed_convolution import Convolution3DTranspose as Convolution3DTranspose
    from jkeras.layers.upsampling import UpSampling1D as UpSampling1D
    from jkeras.layers.upsampling import UpSampling2D as UpSampling2D
    from jkeras.layers.upsampling import UpSampling3D as UpSampling3D
else:
    _TABLE = names_in(
        {
            "jkeras.graph.input": "Input InputLayer",
            "jkeras.graph.input_spec": "InputSpec",
            "jkeras.graph.layer": "Layer",
            "jkeras.layers.activation_layers": "ELU LeakyReLU PReLU ReLU Softmax",
            "jkeras.layers.attention": "AdditiveAttention Attention",
            "jkeras.layers.batch_normalization": "BatchNormalization",
            "jkeras.layers.convolution": "Conv1D Conv2D Conv3D Convolution1D Convolution2D Convolution3D",
            "jkeras.layers.core": "Activation Dense Embedding Identity Lambda Masking ReversibleEmbedding",
            "jkeras.layers.depthwise_convolution": (
                "DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D SeparableConvolution1D SeparableConvolution2D"
            ),
            "jkeras.layers.einsum_dense": "EinsumDense",
            "jkeras.layers.foreign": "FlaxLayer JaxLayer",
            "jkeras.layers.merging": (
                "Add Average Concatenate Dot Maximum Minimum Multiply Subtract add average concatenate dot maximum minimum"
                " multiply subtract"
            ),
            "jkeras.layers.multi_head_attention": "GroupQueryAttention MultiHeadAttention",
            "jkeras.layers.normalization": "GroupNormalization LayerNormalization RMSNormalization UnitNormalization",
            "jkeras.layers.pooling": (
                "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D"
                " AdaptiveMaxPooling2D AdaptiveMaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D"
                " AvgPool2D AvgPool3D GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D"
                " GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D"
                " GlobalMaxPooling2D GlobalMaxPooling3D MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D"
            ),
            "jkeras.layers.preprocessing.categorical": "CategoryEncoding Discretization",
            "jkeras.layers.preprocessing.hashed_crossing": "HashedCrossing",
            "jkeras.layers.preprocessing.hashing": "Hashing",
            "jkeras.layers.preprocessing.audio": "MelSpectrogram STFTSpectrogram",
            "jkeras.layers.preprocessing.images.box_layers": "MaxNumBoundingBoxes",
            "jkeras.layers.preprocessing.images.colours": (
                "RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast"
                " RandomGrayscale RandomHue RandomInvert RandomPosterization"
                " RandomSaturation Solarization"
            ),
            "jkeras.layers.preprocessing.images.geometry": (
                "RandomElasticTransform RandomFlip RandomPerspective RandomRotation"
                " RandomShear RandomTranslation RandomZoom"
            ),
            "jkeras.layers.preprocessing.images.histograms": (
                "AutoContrast ContrastLimitedAdaptiveHistogramEqualization Equalization"
            ),
            "jkeras.layers.preprocessing.images.mixing": "CutMix MixUp RandomErasing",
            "jkeras.layers.preprocessing.images.policies": "AugMix RandAugment",
            "jkeras.layers.preprocessing.images.sharpness": "RandomGaussianBlur RandomSharpness",
            "jkeras.layers.preprocessing.images.sizes": "CenterCrop RandomCrop Resizing",
            "jkeras.layers.preprocessing.pipeline": "Pipeline",
            "jkeras.layers.preprocessing.rescaling": "Rescaling",
            "jkeras.layers.preprocessing.lookup": "IntegerLookup StringLookup",
            "jkeras.layers.preprocessing.normalization": "Normalization",
            "jkeras.layers.preprocessing.text": "TextVectorization",
            "jkeras.layers.recurrent": (
                "Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D GRU GRUCell LSTM LSTMCell RNN SimpleRNN SimpleRNNCell"
                " StackedRNNCells TimeDistributed Wrapper"
            ),
            "jkeras.layers.regularization": (
                "ActivityRegularization AlphaDropout Dropout GaussianDropout GaussianNoise SpatialDropout1D SpatialDropout2D"
                " SpatialDropout3D"
            ),
            "jkeras.layers.repeat": "Repeat",
            "jkeras.layers.reshaping": (
                "Cropping1D Cropping2D Cropping3D Flatten Permute RepeatVector Reshape ZeroPadding1D ZeroPadding2D"
                " ZeroPadding3D"
            ),
            "jkeras.layers.spectral_normalization": "SpectralNormalization",
            "jkeras.layers.transposed_convolution": (
                "Conv1DTranspose Conv2DTranspose Conv3DTranspose Convolution1DTranspose Convolution2DTranspose"
                " Convolution3DTranspose"
            ),
            "jkeras.layers.upsampling": "UpSampling1D UpSampling2D UpSampling3D",
        }
    )
    __all__ = [*_TABLE]
    __getattr__, __dir__ = names_from(__name__, _TABLE)
