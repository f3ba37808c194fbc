"""What transforms that remember must come to, computed here from the same records.

Times of records ("ts") are in milliseconds, of windows in seconds since 1970.
"""

import math
import random
import statistics
from collections import defaultdict
from datetime import datetime

MINUTE = 60
DEVICES = 7
TIME = {"field": "ts", "format": "unixMs"}
SET = {"mean": "avg(temp)", "n": "count(*)", "least": "min(temp)", "most": "max(temp)",
       "sum": "sum(seq)", "sd": "stddev(temp)", "last": "last(state)"}
BEGIN = 1_760_000_000_000


def readings(count, late_by=0, seed=1):
    """One every 100 ms of event time, out of order by up to `late_by` seconds; "seq" is its number."""
    dice = random.Random(seed)
    return [{"seq": seq, "ts": BEGIN + 100 * seq - dice.randint(0, 1000 * late_by),
             "device": f"d{dice.randrange(DEVICES)}", "temp": round(dice.uniform(-20, 60), 2),
             "state": dice.choice(["on", "off", "idle"])} for seq in range(count)]


def expected_windows(records, lateness=0, slide=MINUTE):
    """What the windows must come to: by (device, start in seconds); and how many records are late."""
    time, late, windows = -math.inf, 0, defaultdict(list)
    for record in records:
        time = max(time, record["ts"] / 1000 - lateness)
        last = record["ts"] // 1000 // slide * slide
        open_ones = [start for start in range(last, last - MINUTE, -slide)
                     if start + MINUTE > max(time, record["ts"] / 1000)]
        late += not open_ones
        for start in open_ones:
            windows[record["device"], start].append(record)
    return {key: of(records) for key, records in windows.items()}, late


def of(records):
    temps = [record["temp"] for record in records]
    newest = max(range(len(records)), key=lambda i: (records[i]["ts"], i))
    return {"mean": statistics.fmean(temps), "n": len(records), "least": min(temps),
            "most": max(temps), "sum": sum(record["seq"] for record in records),
            "sd": statistics.stdev(temps) if len(temps) > 1 else None,
            "last": records[newest]["state"]}


def milliseconds(text):
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def window_key(result):
    start = milliseconds(result["windowStart"])
    assert milliseconds(result["windowEnd"]) == start + 1000 * MINUTE
    return result["device"], start // 1000


def window_values(result):
    return {name: result[name] for name in SET}


def expected_sessions(records, gap):
    """By device, start and end in milliseconds: those of a device that are less than `gap` apart."""
    sessions = {}
    for device in {record["device"] for record in records}:
        run = []
        for record in sorted((r for r in records if r["device"] == device), key=lambda r: r["ts"]):
            if run and record["ts"] - run[-1]["ts"] >= gap:
                sessions[device, run[0]["ts"], run[-1]["ts"] + gap] = run
                run = []
            run.append(record)
        sessions[device, run[0]["ts"], run[-1]["ts"] + gap] = run
    return {key: {"n": len(run), "sum": sum(r["seq"] for r in run)} for key, run in sessions.items()}


def session_key(result):
    return result["device"], milliseconds(result["windowStart"]), milliseconds(result["windowEnd"])


def session_values(result):
    return {"n": result["n"], "sum": result["sum"]}


def by_deadband(records, absolute):
    """Those that have moved by more than that since the last of their device that passed."""
    last, passed = {}, []
    for record in records:
        temp = last.get(record["device"])
        if temp is None or abs(record["temp"] - temp) > absolute:
            passed.append(record)
            last[record["device"]] = record["temp"]
    return passed


def by_lines(records, tolerance):
    """What a swinging door lets pass, when the record that passes must be between the doors itself."""
    passed, doors = [], {}
    for record in records:
        device, value = record["device"], record["temp"]
        if device not in doors:
            passed.append(record)
            doors[device] = record, -math.inf, math.inf, None
            continue
        begin, least, most, held = doors[device]

        def slope(to):
            return (to - begin["temp"]) / ((record["ts"] - begin["ts"]) * 1000 / 1e6)

        if not least <= slope(value) <= most:
            passed.append(held)
            begin, least, most = held, -math.inf, math.inf
        doors[device] = begin, max(least, slope(value - tolerance)), min(most, slope(value + tolerance)), record
    return passed + [held for _, _, _, held in doors.values() if held]


def last_of_each(records, span):
    last = {}
    for record in records:
        last[record["device"], record["ts"] // span] = record
    return list(last.values())


def gained_by_every_tenth(records):
    """Of every tenth record of a device, with "count" of a counter that begins anew: what it gained."""
    last, of_device, passed = {}, defaultdict(int), []
    for record in records:
        device, count = record["device"], record["count"]
        gained = None
        if device in last:
            gained = count - last[device] if count >= last[device] else count
        last[device] = count
        of_device[device] += 1
        if of_device[device] % 10 == 1:
            passed.append({**record, "difference": gained})
    return passed


def same(value, expected):
    """Sums of floats depend on their order."""
    if not isinstance(expected, dict):
        return value == expected
    return value.keys() == expected.keys() and all(
        math.isclose(value[name], of, rel_tol=1e-9) if isinstance(of, float) and value[name] is not None
        else value[name] == of for name, of in expected.items())


def expect_results(seen, expected):
    """The same keys, with the same values."""
    missing, more = expected.keys() - seen.keys(), seen.keys() - expected.keys()
    assert not missing, f"{len(missing)} results are missing: {sorted(missing)[:5]}"
    assert not more, f"{len(more)} results that should not be: {sorted(more)[:5]}"
    wrong = {key for key in expected if not same(seen[key], expected[key])}
    example = sorted(wrong)[:1]
    assert not wrong, (f"{len(wrong)} results are others than they should be: "
                       f"{[(key, seen[key], expected[key]) for key in example]}")
