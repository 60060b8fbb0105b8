"""The model chain as a plain script: one frame after another, one call per crop, one thread.

It is what the worker is compared with, so it does the worker's work and no more: the same sampled frames, every stage for every
person of every frame, and labels that are scored against a prompt whose shared part was run once. It knows the model files of the
street pack; what their pictures look like is read from the pack's manifest.
"""

import argparse
import json
import time

import cv2
import numpy as np
from language_model import ActionReader
from pictures import affine_crop, body_crop, distinct_boxes, letterbox, planes, session


class Detector:
    """YOLOv8: boxes (source pixels) by descending score, of one picture."""

    def __init__(self, model, spec):
        self.session = session(model)
        self.input = self.session.get_inputs()[0]
        self.spec = spec

    def __call__(self, frame):
        height, width = self.input.shape[2:]
        picture, gain, left, top = letterbox(frame, width, height, self.spec["letterboxFill"])
        (raw,) = self.session.run(None, {self.input.name: planes(picture)[None]})
        raw = raw[0].T
        scores = raw[:, 4:].max(axis=1)
        sure = scores > np.float32(self.spec["confidence"])
        raw, scores, classes = raw[sure], scores[sure], raw[sure, 4:].argmax(axis=1)
        boxes = np.empty((len(raw), 4), np.float64)
        boxes[:, :2] = raw[:, :2] - raw[:, 2:4] / 2
        boxes[:, 2:] = raw[:, :2] + raw[:, 2:4] / 2
        kept = suppress(boxes, scores, classes, self.spec["iou"])[: self.spec["maxDetections"]]
        size = [frame.shape[1], frame.shape[0]] * 2
        boxes = np.clip((boxes[kept] - [left, top, left, top]) / gain, 0, size)
        names = self.spec["classes"]
        return [
            {"class": names[classes[i]], "box": box.tolist(), "score": float(scores[i])}
            for i, box in zip(kept, boxes, strict=True)
        ]


def suppress(boxes, scores, classes, limit):
    """Non-maximum suppression per class; the places of what is left, by descending score."""
    left = np.argsort(-scores, kind="stable")
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []
    while len(left) > 0:
        best, left = left[0], left[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[left, :2])
        high = np.minimum(boxes[best, 2:], boxes[left, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        iou = shared / (areas[best] + areas[left] - shared)
        left = left[(iou <= limit) | (classes[left] != classes[best])]
    return kept


class AgeReader:
    """MiVOLO on a body whose other people are black; None where too little of it is left."""

    def __init__(self, model, spec):
        self.session = session(model)
        self.input = self.session.get_inputs()[0]
        self.spec = spec

    def __call__(self, frame, boxes, index):
        body = body_crop(frame, boxes, index)
        if body is None:
            return None
        size = self.input.shape[2]
        mean, std = self.spec["mean"], self.spec["std"]
        pixels = np.empty((1, 6, size, size), np.float32)
        # No face was found: a black picture, normalised like any other.
        pixels[0, :3] = ((0 - np.array(mean)) / std).astype(np.float32)[:, None, None]
        pixels[0, 3:] = planes(letterbox(body, size, size, 0)[0], mean, std)
        (out,) = self.session.run(None, {self.input.name: pixels})
        male, female, age = out[0].astype(np.float64)
        score = 1 / (1 + np.exp(-abs(male - female)))
        years = age * (self.spec["maxAge"] - self.spec["minAge"]) + self.spec["avgAge"]
        return {"age": round(years, 2), "gender": "male" if male >= female else "female", "genderScore": score}


class OrientationReader:
    """MEBOW: degrees of one body."""

    def __init__(self, model, spec):
        self.session = session(model)
        self.input = self.session.get_inputs()[0]
        self.spec = spec

    def __call__(self, frame, box):
        height, width = self.input.shape[2:]
        crop = affine_crop(frame, box, width, height, self.spec["scale"])
        pixels = planes(crop, self.spec["mean"], self.spec["std"])[None]
        (out,) = self.session.run(None, {self.input.name: pixels})
        return int(out[0].argmax()) * 360 // self.spec["bins"]


def sampled_frames(video, rate):
    """(number, seconds, RGB) of the first frame at or after each k / rate."""
    capture = cv2.VideoCapture(video, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not capture.isOpened():
        raise SystemExit(f"{video} cannot be opened")
    number, slot = -1, 0
    while capture.grab():
        number += 1
        seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if (seconds + 1e-6) * rate < slot:
            continue
        slot = int((seconds + 1e-6) * rate) + 1
        frame = capture.retrieve()[1]
        yield number, seconds, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    capture.release()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video")
    parser.add_argument("manifest", help="manifest of the pack")
    parser.add_argument("models", help="folder of its models")
    parser.add_argument("--fps", type=float, default=1.5)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with open(options.manifest, encoding="utf-8") as file:
        manifest = json.load(file)

    def path(model):
        return f"{options.models}/{manifest[model]['model']['file']['path']}"

    detect = Detector(path("detection"), manifest["detection"])
    read_age = AgeReader(path("ageGender"), manifest["ageGender"])
    read_orientation = OrientationReader(path("orientation"), manifest["orientation"])
    read_action = ActionReader(options.models, manifest["language"], manifest["action"])
    started = time.perf_counter()
    frames = []
    for number, seconds, frame in sampled_frames(options.video, options.fps):
        detections = detect(frame)
        boxes = distinct_boxes([(found["box"], found["score"]) for found in detections if found["class"] == "person"])
        persons = [
            {
                "box": box,
                "age": read_age(frame, boxes, index),
                "orientation": read_orientation(frame, box),
                "action": read_action(frame, box),
            }
            for index, box in enumerate(boxes)
        ]
        frames.append({"index": number, "t": seconds, "detections": detections, "persons": persons})
    print(json.dumps({"seconds": time.perf_counter() - started, "frames": frames}))


if __name__ == "__main__":
    main()
