"""Benchmarks: ``make bench``, or ``.venv/bin/python -m bench NAME…`` for some of them.

A benchmark is a module of this package with a function ``measure() -> Report`` (``bench.report``), named in
``BENCHMARKS``. It brings up what it needs, takes it down again, and judges itself by goals. It raises ``NotNow`` where
its figures would mean nothing, for example on a busy machine. ``python -m bench`` prints the report and writes it to
``bench/results/NAME.json`` together with the machine, the date and the versions.
"""

BENCHMARKS = (
    "api",
    "body",
    "cold_start",
    "contacts",
    "format",
    "ghost",
    "gpu",
    "holds",
    "holds_in_place",
    "load",
    "page",
    "path",
    "pose",
    "schemathesis",
    "visibility",
)
