"""The page's decoder spells a frame out when it is read: in whatever order that is, it is the same."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
VECTORS = ROOT / "docs/result-vectors"
READ = """
import { readFileSync } from "node:fs";
import { verbose } from "./decode.js";
const result = verbose(JSON.parse(readFileSync(process.argv[2], "utf8")));
for (const { frames } of [result.ghost, result.poses]) {
  for (let i = frames.length - 1; i >= 0; i -= 2) [frames[i].center_of_gravity, frames[i].landmarks, frames[i].angles];
}
process.stdout.write(JSON.stringify(result));
"""

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")


def read(folder: Path, compact: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    (folder / "package.json").write_text('{"type": "module"}')
    for name in ("decode.js", "planes.js"):
        shutil.copy(ROOT / "web" / name, folder)
    (folder / "read.js").write_text(READ)
    (folder / "compact.json").write_text(json.dumps(compact))
    command = ["node", "read.js", "compact.json"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def compact() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((VECTORS / "everything.compact.json").read_text())
    return document


def test_frames_are_the_same_read_from_the_last_to_the_first(tmp_path: Path, compact: dict[str, Any]) -> None:
    told = read(tmp_path, compact)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == json.loads((VECTORS / "everything.verbose.json").read_text())


def test_damage_is_found_before_any_frame_is_read(tmp_path: Path, compact: dict[str, Any]) -> None:
    data = compact["ghost"]["x"]["data"]
    compact["ghost"]["x"]["data"] = data[: len(data) // 8 * 4]
    told = read(tmp_path, compact)
    assert told.returncode != 0
    assert "a plane is damaged" in told.stderr
    assert "at verbose" in told.stderr
