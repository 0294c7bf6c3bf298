"""The answer to a question as a screen gets it: ready text and nothing else."""

import msgspec

from qwenwatch_widgets.views.codec import View
from qwenwatch_widgets.views.market import Headline
from qwenwatch_widgets.views.table import TableView


class TablesView(View, frozen=True):
    """The answer to a question on the screen.

    Attributes:
        headline: What the figures are, above and below the tables.
        tables: One below the other.
        sources: One line per source.
        steps: Steps back, by grain, that keep the time where there are others than none.
    """

    headline: Headline
    tables: tuple[TableView, ...]
    sources: tuple[str, ...]
    steps: dict[str, int] = msgspec.field(default_factory=dict)
