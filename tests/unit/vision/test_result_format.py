"""The compact format means what docs/result-format.md says, and loses no more than it says."""

import gzip
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.body.angles import joint_angles
from ascension_vision.body.gravity import centre_of_gravity
from ascension_vision.body.skeleton import ANGLES
from ascension_vision.pose.following import Poses
from ascension_vision.result import decode, encode
from ascension_vision.result.document import Findings, compact
from ascension_vision.scene import CameraOptions, SceneOptions, plan_scene

from tests.unit.vision import perfect, vectors

ROOT = Path(__file__).resolve().parents[3]
WIDTH, HEIGHT = 1080, 1920
UNSEEN = slice(40, 52)
EXAMPLE = "B1GAbIAQArA="  # docs/result-format.md works it out bit by bit
PARTS = ("camera", "wall", "holds", "contacts", "moves", "loads", "ghost")

Document = dict[str, Any]


def schema(name: str) -> Document:
    loaded: Document = json.loads((ROOT / f"docs/schemas/analysis-{name}.schema.json").read_text())
    return loaded


@pytest.fixture(scope="module")
def found() -> Findings:
    """Everything of a climb filmed with a moving hand, out of sight for a while."""
    camera = CameraOptions(pan=0.6, shake_deg=0.4)
    scene = plan_scene(SceneOptions(seed=5, duration_s=5.0, width=WIDTH, height=HEIGHT, camera=camera))
    whole = perfect.findings(scene)
    for array in (whole.poses.points, whole.poses.world, whole.poses.visibility):
        array[UNSEEN] = np.nan
    assert whole.camera is not None
    assert whole.loads is not None
    whole.camera.to_reference[60:63] = np.nan
    whole.loads[10:20] = np.nan
    return whole


@pytest.fixture(scope="module")
def document(found: Findings) -> Document:
    return compact(found)


@pytest.fixture(scope="module")
def verbose(document: Document) -> Document:
    return decode.verbose(json.loads(json.dumps(document)))


def off(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """The largest difference; unknown must be unknown in both."""
    first, second = (np.array(values, dtype=np.float64) for values in (one, other))
    assert (np.isnan(first) == np.isnan(second)).all()
    return float(np.nanmax(np.abs(first - second), initial=0.0))


class TestPlanes:
    def test_the_documents_own_example_decodes_as_it_says(self) -> None:
        plane = {"decimals": 3, "step": 10, "data": EXAMPLE}
        assert decode.plane(plane, 6, {0: None}) == [[1000, 1015, 1050, 1075, 1100, 1120]]

    @pytest.mark.parametrize("rows", [0, 1, 2, 3, 7, 16, 17, 500])
    def test_every_value_comes_back_within_a_step(self, rows: int) -> None:
        target = np.cumsum(np.random.default_rng(4).normal(0, 0.3, (rows, 33)), axis=0)
        plane, read = encode.plane(target, 2, 10, decode.TREE)
        assert off(read / 100, target) <= 0.1 + 1e-9
        assert np.array(decode.plane(plane, rows, decode.TREE)).T.tolist() == read.tolist()

    def test_a_plane_linked_to_another_comes_back_too(self) -> None:
        links = np.rint(np.cumsum(np.random.default_rng(5).normal(0, 500, (90, 33)), axis=0)).astype(np.int64)
        target = (links * -0.013).astype(np.float64)
        plane, read = encode.plane(target, 2, 4, decode.TREE, links)
        assert off(read / 100, target) <= 0.04 + 1e-9
        assert np.array(decode.plane(plane, 90, decode.TREE, links.T.tolist())).T.tolist() == read.tolist()

    @pytest.mark.parametrize("spread", [0.3, 3.0, 1000.0, 1e6])
    def test_moments_come_back_exactly_however_uneven(self, spread: float) -> None:
        moments = np.rint(np.random.default_rng(3).normal(0, spread, 300)).astype(np.int64)
        assert decode.plane(encode.times(moments), 300, {0: None}) == [moments.tolist()]

    def test_a_smooth_curve_costs_a_fraction_of_a_rough_one(self) -> None:
        smooth = 5 * np.sin(np.arange(900) / 30)[:, None]
        rough = smooth + np.random.default_rng(5).normal(0, 0.1, (900, 1))
        sizes = [len(encode.plane(target, 3, 20, {0: None})[0]["data"]) for target in (smooth, rough)]
        assert sizes[0] * 4 < sizes[1]

    def test_a_jump_far_outside_costs_little_more_than_none(self) -> None:
        smooth = 5 * np.sin(np.arange(900) / 30)[:, None]
        jumping = smooth + np.where(np.arange(900) == 444, 1e4, 0)[:, None]
        sizes = [len(encode.plane(target, 3, 20, {0: None})[0]["data"]) for target in (smooth, jumping)]
        assert sizes[1] < sizes[0] + 4000

    @pytest.mark.parametrize(
        ("seen", "runs"),
        [([0, 0, 1, 1, 1, 0], [2, 3, 1]), ([1, 1], [0, 2]), ([0], [1]), ([1, 0, 1], [0, 1, 1, 1])],
    )
    def test_presence_is_run_lengths_that_begin_without_the_climber(self, seen: list[int], runs: list[int]) -> None:
        assert encode.runs(np.array(seen, dtype=bool)) == runs
        rows = iter(range(len(seen)))
        told = [next(rows) if there else None for there in seen]
        assert decode.spread(range(sum(seen)), runs, len(seen)) == told


class TestVectors:
    @pytest.mark.parametrize("name", sorted(vectors.read()))
    def test_the_python_decoder_agrees_with_each(self, name: str) -> None:
        document, verbose = vectors.read()[name]
        jsonschema.validate(document, schema("compact"))
        jsonschema.validate(verbose, schema("verbose"))
        assert decode.verbose(document) == verbose

    @pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed; the page's tests check it, too")
    def test_the_javascript_decoder_agrees_with_each(self, tmp_path: Path) -> None:
        (tmp_path / "package.json").write_text('{"type": "module"}')
        for name in ("decode.js", "planes.js"):
            (tmp_path / name).write_text((ROOT / "web" / name).read_text())
        (tmp_path / "spell.js").write_text(
            "import { readFileSync } from 'node:fs';\n"
            "import { verbose } from './decode.js';\n"
            "const spelled = process.argv.slice(2).map((path) => verbose(JSON.parse(readFileSync(path, 'utf8'))));\n"
            "process.stdout.write(JSON.stringify(spelled));\n"
        )
        known = vectors.read()
        paths = [str(vectors.FOLDER / f"{name}.compact.json") for name in known]
        spelled = subprocess.run(
            ["node", str(tmp_path / "spell.js"), *paths], capture_output=True, text=True, check=True
        )
        assert json.loads(spelled.stdout) == [verbose for _, verbose in known.values()]


class TestPoses:
    def test_times_are_exact_to_the_millisecond_however_uneven(self, found: Findings) -> None:
        uneven = np.cumsum(np.random.default_rng(6).uniform(0.004, 0.2, len(found.poses.t))) - 0.004
        poses = replace(found.poses, t=uneven)
        frames = decode.verbose(compact(replace(found, poses=poses)))["poses"]["frames"]
        assert [frame["t"] for frame in frames] == [round(float(t), 3) for t in uneven]

    def test_landmarks_are_within_a_pixel_mostly_and_two_always(self, found: Findings, verbose: Document) -> None:
        landmarks = _told(verbose, "landmarks")
        truth = found.poses.points[found.poses.seen]
        pixels = np.linalg.norm(landmarks[..., :2] * (WIDTH, HEIGHT) - truth[..., :2], axis=-1)
        assert np.median(pixels) <= 1
        assert pixels.max() <= 2
        assert off(landmarks[..., 2], truth[..., 2] / WIDTH) <= 0.02 + 1e-9
        assert off(landmarks[..., 3], found.poses.visibility[found.poses.seen]) <= 0.1 + 1e-9

    def test_world_landmarks_are_within_a_centimetre_along_each_axis(self, found: Findings, verbose: Document) -> None:
        assert off(_told(verbose, "world"), found.poses.world[found.poses.seen]) <= 0.01 + 1e-9

    def test_a_jump_between_two_frames_stays_a_jump(self, found: Findings) -> None:
        poses = replace(found.poses, points=found.poses.points.copy())
        poses.points[70:, :, 0] += 400
        landmarks = _told(decode.verbose(compact(replace(found, poses=poses))), "landmarks")
        pixels = landmarks[..., :2] * (WIDTH, HEIGHT) - poses.points[poses.seen][..., :2]
        assert np.linalg.norm(pixels, axis=-1).max() <= 2

    def test_frames_without_the_climber_tell_nothing(self, found: Findings, verbose: Document) -> None:
        for i, frame in enumerate(verbose["poses"]["frames"]):
            told = [frame[part] is not None for part in ("landmarks", "world", "angles", "center_of_gravity")]
            assert told == [bool(found.poses.seen[i])] * 4

    def test_angles_and_centre_of_gravity_follow_from_the_landmarks_that_are_told(self, verbose: Document) -> None:
        seen = [frame for frame in verbose["poses"]["frames"] if frame["landmarks"]]
        angles = joint_angles(_told(verbose, "world"))
        assert set(seen[0]["angles"]) == set(ANGLES)
        for name in ANGLES:
            assert off([frame["angles"][name] for frame in seen], angles[name]) <= 0.05 + 1e-9
        gravity = centre_of_gravity(_told(verbose, "landmarks")[..., :2])
        assert off([frame["center_of_gravity"] for frame in seen], gravity) <= 0.5e-5 + 1e-9

    def test_frames_before_and_after_the_climb_are_told(self, document: Document) -> None:
        count = document["video"]["frame_count"]
        changed = document | {"poses": document["poses"] | {"phases": [30, count - 50, 20]}}
        told = [frame["phase"] for frame in decode.verbose(changed)["poses"]["frames"]]
        assert told == ["before"] * 30 + ["climb"] * (count - 50) + ["after"] * 20

    @pytest.mark.parametrize(("width", "height"), [(1920, 1080), (720, 720), (480, 854)])
    def test_pixels_are_those_of_1080p_whatever_the_frame(self, found: Findings, width: int, height: int) -> None:
        shrink = np.array([width / WIDTH, height / HEIGHT, width / WIDTH])
        poses = replace(found.poses, points=found.poses.points * shrink, width=width, height=height)
        landmarks = _told(decode.verbose(compact(Findings(found.video, poses, {}))), "landmarks")
        pixels = (landmarks[..., :2] * (width, height) - poses.points[poses.seen][..., :2]) * 1080 / min(width, height)
        assert np.linalg.norm(pixels, axis=-1).max() <= 2.02


class TestCamera:
    def test_homographies_put_the_frames_corners_within_half_a_pixel(self, found: Findings, verbose: Document) -> None:
        assert found.camera is not None
        told = verbose["camera"]["frames"]
        assert [matrix is None for matrix in told] == (~found.camera.known).tolist()
        corners = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT], [WIDTH / 2, HEIGHT / 2]], dtype=float)
        for matrix, truth in zip(told, found.camera.to_reference, strict=True):
            if matrix is not None:
                placed = _apply(np.array(matrix), corners / (WIDTH, HEIGHT)) * (WIDTH, HEIGHT)
                assert np.linalg.norm(placed - _apply(truth, corners), axis=1).max() <= 0.5

    def test_a_homography_that_folds_the_frame_over_counts_as_unknown(self, found: Findings) -> None:
        assert found.camera is not None
        folded = found.camera.to_reference.copy()
        folded[5] = np.array([[1, 0, 0], [0, 1, 0], [-2 / WIDTH, 0, 1]])
        camera = decode.verbose(compact(replace(found, camera=replace(found.camera, to_reference=folded))))["camera"]
        assert camera["frames"][5] is None
        assert camera["frames"][4] is not None

    def test_a_camera_that_stood_still_is_a_word(self, found: Findings) -> None:
        assert found.camera is not None
        known = np.where(found.camera.known[:, None, None], np.eye(3), np.nan)
        document = compact(replace(found, camera=replace(found.camera, to_reference=known, still=True)))
        assert set(document["camera"]) == {"still", "known"}
        camera = decode.verbose(document)["camera"]
        assert camera["still"]
        assert camera["frames"][0] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
        assert camera["frames"][60:63] == [None] * 3


class TestHolds:
    def test_boxes_and_outlines_are_where_the_holds_are(self, found: Findings, verbose: Document) -> None:
        assert found.holds is not None
        for told, hold in zip(verbose["holds"], found.holds, strict=True):
            box = np.array(told["box"]).reshape(2, 2)
            assert off(box * (WIDTH, HEIGHT), np.array(hold.box).reshape(2, 2)) <= 0.1
            assert off(told["center"], box.mean(axis=0)) <= 1e-5
            outline = np.array(told["outline"])
            assert len(outline) >= 3
            assert off(outline.min(axis=0), box[0]) <= 3 / WIDTH
            assert off(outline.max(axis=0), box[1]) <= 3 / WIDTH

    def test_a_hold_is_used_when_something_touched_it(self, found: Findings, verbose: Document) -> None:
        touched = {contact.hold_id for contact in found.contacts or ()}
        assert {hold["id"] for hold in verbose["holds"] if hold["used"]} == touched
        assert any(not hold["used"] for hold in verbose["holds"])


class TestGhost:
    def test_it_is_where_it_was_to_a_fraction_of_a_millimetre(self, found: Findings, verbose: Document) -> None:
        assert found.ghost is not None
        frames = verbose["ghost"]["frames"]
        off_m = np.linalg.norm(np.array([frame["world"] for frame in frames]) - found.ghost.landmarks, axis=-1)
        assert off_m.max() <= 0.001
        assert off([frame["t"] for frame in frames], found.ghost.t) <= 1e-4
        assert off([frame["climber_t"] for frame in frames], found.ghost.climber_t) <= 0.0005 + 1e-9
        assert off([frame["loads"] for frame in frames], found.ghost.loads) <= 0.02 + 1e-9

    def test_its_bones_keep_their_length(self, verbose: Document) -> None:
        world = np.array([frame["world"] for frame in verbose["ghost"]["frames"]])
        for a, b in verbose["ghost"]["certificate"]["bones"]:
            length = np.linalg.norm(world[:, a] - world[:, b], axis=1)
            assert np.ptp(length) / length.mean() < 3e-3

    def test_it_is_seen_through_the_camera_of_the_climbers_moment(self, found: Findings, verbose: Document) -> None:
        assert found.ghost is not None
        assert found.camera is not None
        assert found.wall is not None
        truth = found.camera.back(found.wall.project(found.ghost.landmarks))
        told = verbose["ghost"]["frames"]
        assert [frame["landmarks"] is None for frame in told] == (~found.camera.known).tolist()
        landmarks = np.array([frame["landmarks"] for frame in told if frame["landmarks"]])
        pixels = np.linalg.norm(landmarks[..., :2] * (WIDTH, HEIGHT) - truth[found.camera.known], axis=-1)
        assert pixels.max() < 1.5

    def test_its_depth_is_in_widths_of_the_frame_from_the_hips(self, found: Findings, verbose: Document) -> None:
        assert found.wall is not None
        told = np.array(verbose["ghost"]["frames"][0]["landmarks"])
        world = np.array(verbose["ghost"]["frames"][0]["world"])
        metres = world @ found.wall.projection[2, :3] + found.wall.projection[2, 3]
        hips = metres[23:25].mean()
        focal = CameraOptions.focal * max(WIDTH, HEIGHT) / WIDTH
        assert off(told[:, 2], (metres - hips) / hips * focal) <= 0.01

    def test_its_certificate_is_told_frame_by_frame(self, found: Findings, verbose: Document) -> None:
        assert found.ghost is not None
        truth, told = found.ghost.certificate, verbose["ghost"]["certificate"]
        assert {**told, "frames": None} == {**truth, "frames": None}
        for name, values in truth["frames"].items():
            limit = truth["gates"][name.removesuffix("_cm")]["limit"]
            assert off(told["frames"][name], values) <= 0.011 * limit
        assert told["frames"]["equilibrium"][:3] == [None] * 3


class TestDocument:
    def test_thirty_seconds_with_everything_fit_into_eighty_kilobytes_and_fifty_without_the_ghost(self) -> None:
        camera = CameraOptions(pan=0.5, shake_deg=0.5)
        scene = plan_scene(SceneOptions(seed=8, duration_s=30.0, width=WIDTH, height=HEIGHT, camera=camera))
        found = perfect.findings(scene, tremble_px=6.0)
        assert found.video["frame_count"] == 900
        assert _sent(compact(found)) <= 80_000
        assert _sent(compact(replace(found, ghost=None))) <= 50_000

    def test_both_spellings_satisfy_their_schemas(self, document: Document, verbose: Document) -> None:
        jsonschema.validate(document, schema("compact"))
        jsonschema.validate(verbose, schema("verbose"))

    def test_a_result_of_poses_alone_satisfies_them_too(self, found: Findings) -> None:
        absent = dict.fromkeys(PARTS, "Not asked for.")
        bare = compact(Findings(found.video, found.poses, {}, metrics=found.metrics, absent=absent))
        jsonschema.validate(bare, schema("compact"))
        verbose = decode.verbose(bare)
        jsonschema.validate(verbose, schema("verbose"))
        assert all(verbose[part] is None for part in PARTS if part != "camera")
        assert verbose["camera"]["frames"] == [None] * len(found.poses.t)

    def test_nobody_seen_at_all_is_a_result(self, found: Findings) -> None:
        nobody = np.full_like(found.poses.points, np.nan)
        poses = Poses(found.poses.t, nobody, nobody[..., 0], nobody, WIDTH, HEIGHT)
        verbose = decode.verbose(compact(replace(found, poses=poses)))
        assert all(frame["landmarks"] is None for frame in verbose["poses"]["frames"])

    def test_metrics_come_with_what_they_mean_and_why_they_are_missing(self, verbose: Document) -> None:
        assert verbose["metrics"]["max_reach_cm"] == 87.25
        assert verbose["metrics"]["avg_tension"] == 0.31235
        assert verbose["metrics_info"]["max_reach_cm"] == {
            "unit": "cm", "meaning": "The longest way of a hand.", "uncertainty": 4.1, "from": ["contacts", "wall"],
        }  # fmt: skip
        assert verbose["metrics"]["movement_efficiency"] is None
        assert verbose["metrics_info"]["movement_efficiency"]["reason"]

    def test_numbers_that_are_not_finite_never_reach_the_document(self, document: Document, verbose: Document) -> None:
        for spelling in (document, verbose):
            json.dumps(spelling, allow_nan=False)

    def test_the_decoder_runs_alone_on_plain_python(self, document: Document, verbose: Document) -> None:
        # -I -S: neither the repository nor installed packages in sight.
        alone = subprocess.run(
            [sys.executable, "-I", "-S", decode.__file__],
            input=json.dumps(document),
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(alone.stdout) == verbose

    def test_another_schema_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"ascension\.analysis/9"):
            decode.verbose({"schema": "ascension.analysis/9"})

    def test_a_damaged_plane_is_refused(self) -> None:
        for data in ("", EXAMPLE[:4], EXAMPLE[:-1]):
            with pytest.raises(ValueError, match=r"substring|damaged|padding"):
                decode.plane({"decimals": 3, "step": 10, "data": data}, 6, {0: None})

    def test_runs_that_do_not_fit_are_refused(self, document: Document) -> None:
        with pytest.raises(ValueError, match="runs"):
            decode.verbose(document | {"poses": document["poses"] | {"seen": [1, 2]}})


def _told(verbose: Document, part: str) -> npt.NDArray[np.float64]:
    return np.array([frame[part] for frame in verbose["poses"]["frames"] if frame[part]])


def _apply(homography: npt.NDArray[np.float64], points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    mapped = np.column_stack([points, np.ones(len(points))]) @ homography.T
    placed: npt.NDArray[np.float64] = mapped[:, :2] / mapped[:, 2:]
    return placed


def _sent(document: Document) -> int:
    return len(gzip.compress(json.dumps(document, separators=(",", ":")).encode(), 9))
