"""The test vectors of docs/result-vectors: results in both spellings, which every decoder must agree on.

``python -m tests.unit.vision.vectors`` writes them anew, for when the format changes.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ascension_vision.result import decode
from ascension_vision.result.document import Findings, compact
from ascension_vision.scene import CameraOptions, SceneOptions, plan_scene

from tests.unit.vision import perfect

FOLDER = Path(__file__).resolve().parents[3] / "docs/result-vectors"
_HAND_HELD = CameraOptions(pan=0.6, shake_deg=0.4)


def read() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Compact and verbose of each vector, by its name."""
    names = sorted(path.name.removesuffix(".compact.json") for path in FOLDER.glob("*.compact.json"))
    return {
        name: (
            json.loads((FOLDER / f"{name}.compact.json").read_text()),
            json.loads((FOLDER / f"{name}.verbose.json").read_text()),
        )
        for name in names
    }


def _everything() -> Findings:
    found = perfect.findings(_scene(duration_s=4.0, camera=_HAND_HELD), revision=2)
    assert found.camera is not None
    assert found.loads is not None
    found.camera.to_reference[7:9] = np.nan
    found.loads[3:6] = np.nan
    return found


def _poses_alone() -> Findings:
    """A camera on a tripod, uneven times, out of sight twice."""
    found = perfect.findings(_scene(duration_s=5.0, camera=CameraOptions()), loads=None, ghost=None, holds=None)
    uneven = np.cumsum(np.random.default_rng(9).uniform(0.01, 0.2, len(found.poses.t)))
    for array in (found.poses.points, found.poses.world, found.poses.visibility):
        array[:2] = np.nan
        array[20:29] = np.nan
    return replace(found, poses=replace(found.poses, t=uneven - uneven[0]), absent={"ghost": "Not asked for."})


def _one_frame() -> Findings:
    found = perfect.findings(_scene(duration_s=4.0, camera=CameraOptions()), camera=None, loads=None, ghost=None)
    first = {name: getattr(found.poses, name)[:1] for name in ("t", "points", "visibility", "world")}
    return replace(found, poses=replace(found.poses, **first), video={**found.video, "frame_count": 1})


def _scene(duration_s: float, camera: CameraOptions) -> Any:
    return plan_scene(SceneOptions(seed=11, duration_s=duration_s, fps=10, width=720, height=1280, camera=camera))


def _write() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, found in (("everything", _everything()), ("poses-alone", _poses_alone()), ("one-frame", _one_frame())):
        document = json.loads(json.dumps(compact(found)))
        for spelling, content in (("compact", document), ("verbose", decode.verbose(document))):
            text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
            (FOLDER / f"{name}.{spelling}.json").write_text(text + "\n")


if __name__ == "__main__":
    _write()
