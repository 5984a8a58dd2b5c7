"""Setting the weights up: quick when done, and clear when it cannot be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ascension_vision.pose.weights import (
    SOURCES,
    Source,
    WeightsUnavailable,
    converted_path,
    models_directory,
    read_metadata,
)


def set_up(**environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ascension_vision.pose.weights"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def test_a_second_set_up_needs_no_package_index() -> None:
    done = set_up(PIP_NO_INDEX="1")
    assert done.returncode == 0, done.stderr
    assert "already in" in done.stdout


def test_without_a_package_index_the_set_up_says_what_it_lacks(tmp_path: Path) -> None:
    done = set_up(PIP_NO_INDEX="1", ASCENSION_MODELS=str(tmp_path / "models"))
    assert done.returncode == 1
    assert "could not download mediapipe" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_missing_weights_name_the_command_that_makes_them(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnavailable, match=r"python -m ascension_vision\.pose\.weights"):
        converted_path(SOURCES[0], tmp_path)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_converted_weights_say_where_they_came_from(source: Source) -> None:
    metadata = read_metadata(converted_path(source, models_directory()))
    assert metadata["source_sha256"] == source.sha256
    assert "Apache-2.0" in metadata["source"]
