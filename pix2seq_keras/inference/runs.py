"""Options that only the length of a run can decide."""


def options_for_run(detector, num_images, batch_size, options):
    """`detect`'s options for one of many calls with whole batches.

    Args:
        detector: anything with `.detect`.
        num_images: int, of the whole run.
        batch_size: int, images a call.
        options: dictionary, of `detect`.

    Returns:
        Dictionary: the options, and `"jit_compile"` where the detector can compile and the options do not say whether.
    """
    if "jit_compile" in options or not hasattr(detector, "repays_compilation"):
        return options
    num_batches = -(-num_images // batch_size)
    return {**options, "jit_compile": detector.repays_compilation(num_batches, options.get("max_objects"))}
