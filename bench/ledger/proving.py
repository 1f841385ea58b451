"""An inclusion proof among many entries and among few. Limit: at most 3 times as long, in the median."""

import random
import statistics
import time

from bench.databases import use
from recordings import ledger

LIMIT = 3.0
FEW = 10_000
PROOFS = 500


def measure(few: str, many: str) -> bool:
    """`few` and `many` are databases. The rounds take turns; what each asks for is drawn anew."""
    chance = random.Random(4)
    times: dict[str, list[float]] = {few: [], many: []}
    for _ in range(5):
        for name in times:
            times[name] += _times(name, chance)
    short, long = (statistics.median(times[name]) for name in (few, many))
    print(
        f"inclusion proof: {1000 * short:.2f} ms among few, {1000 * long:.2f} ms among many, "
        f"ratio {long / short:.2f}, limit {LIMIT:.2f}: {'kept' if long / short <= LIMIT else 'BROKEN'}",
        flush=True,
    )
    return long / short <= LIMIT


def _times(name: str, chance: random.Random) -> list[float]:
    use(name)
    seal = ledger.newest_seal()
    assert seal
    asked = [chance.randrange(seal.size) for _ in range(PROOFS // 5)]
    times = []
    for index in [*asked[:20], *asked]:  # the first ones only warm up
        began = time.perf_counter()
        ledger.inclusion_proof(index, seal.size)
        times.append(time.perf_counter() - began)
    return times[20:]
