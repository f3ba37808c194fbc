"""Power cuts of the disk under one agent: the cases that say most in a second, one round each. The rest:
scripts/power-cut-test --rounds 30."""

import pytest

from faults import journal_cases, restart_cases
from faults.bench import Bench


@pytest.mark.usefixtures("dynamic_binary")
@pytest.mark.parametrize("case", [journal_cases.failing_sync, restart_cases.rotated_files,
                                  restart_cases.reloads], ids=lambda case: case.__name__)
def test_nothing_is_lost_when_the_power_is_cut(leat, tmp_path, case):
    bench = Bench(leat, tmp_path / "bench", seed=1, power_cuts=True)
    try:
        outcome = case(bench)
    finally:
        bench.close()
    assert outcome.accepted > 0
    assert outcome.lost == 0
    assert bench.agent.cuts > 0
