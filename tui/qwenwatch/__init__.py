"""The program: command line, printers, configuration, application and screens."""

__version__ = "0.1.0"
