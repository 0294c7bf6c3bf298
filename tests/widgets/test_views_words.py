"""Words that views cannot import without Polars are those of the questions."""

from qwenwatch_cache.market import directory, disagreement, price_surveys, prices, spend
from qwenwatch_widgets.views import definition_tables, price_index
from qwenwatch_widgets.views import disagreement as disagreement_view
from qwenwatch_widgets.views import prices as prices_view
from qwenwatch_widgets.views import spend as spend_view


def test_words_of_views() -> None:
    assert definition_tables.UNATTRIBUTED == directory.UNATTRIBUTED
    assert disagreement_view.SAME == disagreement.SAME
    assert price_index.ALL == price_surveys.ALL
    assert prices_view.CHECKS == prices.CROSS_CHECK
    assert spend_view.BUCKETS == spend.BUCKETS
    assert spend_view.NOT_NAMED == spend.NOT_NAMED
