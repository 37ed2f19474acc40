"""Wall times: of one call, the median of many, and of several variants in turn."""

import statistics
import time


def seconds_of(function):
    """Measures the wall time of one call.

    Args:
        function: function without arguments.

    Returns:
        float, seconds.
    """
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def median_seconds(function, repeats):
    """Measures the median wall time of a function, after one call as a warm-up.

    Args:
        function: function without arguments.
        repeats: int, calls that are measured.

    Returns:
        float, seconds.
    """
    function()
    return statistics.median(seconds_of(function) for _ in range(repeats))


def interleaved_medians(variants, rounds, run_once=lambda name, seconds: False):
    """Measures the median wall time of several variants that are already warm.

    Every round runs each variant once. Slower phases of the machine therefore affect all variants alike.

    Args:
        variants: dictionary of name to function without arguments.
        rounds: int.
        run_once: function (name, seconds of the first round) -> bool, whether the variant is left out of later rounds.

    Returns:
        Dictionary of name to float, seconds.
    """
    times = {name: [] for name in variants}
    for _ in range(rounds):
        for name, function in variants.items():
            if not (times[name] and run_once(name, times[name][0])):
                times[name].append(seconds_of(function))
    return {name: statistics.median(values) for name, values in times.items()}
