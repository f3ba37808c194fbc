"""The rounds of scripts/fault-test and of scripts/power-cut-test: each case of this folder, from one seed
to the next."""

import time
import traceback
from collections import Counter
from pathlib import Path

from faults import journal_cases, restart_cases
from faults.bench import Bench
from harness.postgres import remove_template

WORK = Path(__file__).resolve().parents[2] / "build"
CASES = {
    "full-disk": journal_cases.full_disk,
    "drop-oldest": journal_cases.drop_oldest,
    "pages": journal_cases.pages,
    "wal-bit": journal_cases.wal_bit,
    "failing-sync": journal_cases.failing_sync,
    "sqlite-sync": restart_cases.sqlite_sync,
    "deleted-journal": journal_cases.deleted_journal,
    "reloads": restart_cases.reloads,
    "postgres-rotated": restart_cases.postgres_rotated,
    "rotated-files": restart_cases.rotated_files,
}


def add_options(parser, rounds):
    parser.add_argument("--only", choices=CASES, action="append", help="this case; may be repeated")
    parser.add_argument("--rounds", type=int, default=rounds, help="of each case")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; the next has one more")
    parser.add_argument("--keep-going", action="store_true", help="after a round that failed")
    parser.add_argument("--notes", action="store_true", help="a line for each round")


def run_all(binary, arguments, script, power_cuts=False):
    """Returns how many rounds failed. `power_cuts`: where a case kills the agent, the power goes."""
    failed = 0
    try:
        for name in arguments.only or CASES:
            failed += run(name, binary, arguments, script, power_cuts)
    finally:
        restart_cases.close_postgres()
        remove_template()
    return failed


def run(name, binary, arguments, script, power_cuts):
    """All rounds of a case; returns how many failed."""
    counts, began, failed = Counter(), time.monotonic(), 0
    for seed in range(arguments.seed, arguments.seed + arguments.rounds):
        bench = Bench(binary, WORK / script / name, seed, power_cuts)
        try:
            outcome = CASES[name](bench)
        except Exception:  # whatever it was, it has a seed
            failed += 1
            traceback.print_exc()
            print(f"{name}: FAILED, again with scripts/{script} --only {name} --rounds 1 "
                  f"--seed {seed}; its files are in {WORK / script / name}", flush=True)
            if not arguments.keep_going:
                break
            continue
        finally:
            bench.close()
        counts.update(rounds=1, accepted=outcome.accepted, lost=outcome.lost,
                      unsaid=outcome.unsaid, twice=outcome.twice)
        if arguments.notes:
            print(f"  seed {seed}: {outcome}", flush=True)
    print(f"{name}: {counts['rounds']} rounds, {counts['accepted']:,} records accepted, "
          f"{counts['lost']:,} lost ({counts['unsaid']:,} of them unsaid), {counts['twice']:,} came "
          f"twice, {failed} rounds failed, {time.monotonic() - began:.0f} s", flush=True)
    return failed
