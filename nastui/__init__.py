"""nastui: look at a neuron through all the images, sorted by its value, coloured by class."""

__version__ = "0.1.0"
