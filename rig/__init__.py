"""cellrig: control and data acquisition for battery test rigs."""

__version__ = "0.1.0"
