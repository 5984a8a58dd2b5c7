"""Runs in .local/venvs/mediapipe, never in ours: what MediaPipe and LiteRT make of the images and crops in IN.npz.

usage: mediapipe_reference.py IN.npz OUT.npz

IN: ``image_0`` … RGB images of any size; ``crops`` ``(n, 256, 256, 3) uint8``, ``frames`` ``(n, 224, 224, 3) uint8``.
OUT: ``landmarks_i`` ``(33, 4)`` normalised x, y, z, visibility, absent where nobody was found, ``world_i`` ``(33, 3)``;
``landmark_*`` and ``detection_*``: the networks' raw outputs by position.
"""

# mypy: ignore-errors
# (its imports exist only in that other environment)

import sys
from pathlib import Path

import mediapipe as mp
import numpy as np
from ai_edge_litert.interpreter import Interpreter

MODULES = Path(mp.__file__).parent / "modules"


def network(path, inputs):
    interpreter = Interpreter(str(path), num_threads=2)
    interpreter.allocate_tensors()
    outputs = {detail["name"]: [] for detail in interpreter.get_output_details()}
    for image in inputs:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        for detail in interpreter.get_output_details():
            outputs[detail["name"]].append(interpreter.get_tensor(detail["index"])[0])
    return {name: np.array(values) for name, values in outputs.items()}


def main(source, target):
    given = np.load(source)
    answers = {}
    crops = given["crops"].astype(np.float32) / 255
    for name, values in network(MODULES / "pose_landmark/pose_landmark_full.tflite", crops).items():
        answers[f"landmark_{name}"] = values
    frames = given["frames"].astype(np.float32) / 127.5 - 1
    for name, values in network(MODULES / "pose_detection/pose_detection.tflite", frames).items():
        answers[f"detection_{name}"] = values
    with mp.solutions.pose.Pose(static_image_mode=True, model_complexity=1) as pose:
        for name in given.files:
            if not name.startswith("image_"):
                continue
            found = pose.process(given[name])
            if found.pose_landmarks:
                number = name.removeprefix("image_")
                answers[f"landmarks_{number}"] = np.array(
                    [[p.x, p.y, p.z, p.visibility] for p in found.pose_landmarks.landmark]
                )
                answers[f"world_{number}"] = np.array([[p.x, p.y, p.z] for p in found.pose_world_landmarks.landmark])
    np.savez(target, **answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
