"""Image layers: sizes, random changes of places and colours, mixtures of images, policies made of several of them."""
