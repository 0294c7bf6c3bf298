"""The answer to a question as a screen gets it: ready text and nothing else."""

from qwenwatch_widgets.views.codec import View
from qwenwatch_widgets.views.market import Headline
from qwenwatch_widgets.views.table import TableView


class TablesView(View, frozen=True):
    """The answer to a question on the screen.

    Attributes:
        headline: What the figures are, above and below the tables.
        tables: One below the other.
        sources: One line per source.
    """

    headline: Headline
    tables: tuple[TableView, ...]
    sources: tuple[str, ...]
