"""mlestar: evidence, memory and real pipelines for agents that do machine-learning engineering."""

__version__ = "0.1.0"
