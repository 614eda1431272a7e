from dataclasses import replace

from bertcli.output.schemas.summaries import pair_summary_schema
from bertcli.results.summaries import GroupSummary
from tests.output import samples
from tests.output.drawing import draw


def test_a_group_with_an_empty_name_has_a_name_in_the_table() -> None:
    whole = samples.pair_summary()
    groups = [GroupSummary({"field": "", "UID": "a"}, group.counts) for group in whole.groups or ()]
    schema = pair_summary_schema(samples.info("fill-mask"), ["field", "UID"])
    assert "\n(empty), a " in draw(schema, replace(whole, groups=groups), width=80)
