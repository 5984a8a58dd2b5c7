"""Runs in MediaPipe's own environment: what a user would write first, OpenCV and ``mp.solutions.pose`` in a loop.

usage: mediapipe_loop.py VIDEO OUT.npz

OUT: ``landmarks`` ``(frames, 33, 4)`` x, y, z, visibility as MediaPipe gives them, NaN where nobody was found.
"""

# mypy: ignore-errors
# (its imports exist only in that other environment)

import sys

import cv2
import mediapipe as mp
import numpy as np

frames = []
video = cv2.VideoCapture(sys.argv[1])
with mp.solutions.pose.Pose(model_complexity=1) as pose:
    while True:
        there, image = video.read()
        if not there:
            break
        found = pose.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).pose_landmarks
        frames.append([[p.x, p.y, p.z, p.visibility] for p in found.landmark] if found else np.full((33, 4), np.nan))
np.savez(sys.argv[2], landmarks=np.array(frames, dtype=np.float64))
