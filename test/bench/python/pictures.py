"""What the models see of a picture, as OpenCV makes it, and sessions of one thread."""

import cv2
import numpy as np
import onnxruntime

MIN_BODY_SIDE = 50
MIN_REMAINING = 0.4
BORDER_SHARE = 0.3
DUPLICATE_CONTAINMENT = 0.65
SURE = 0.6


def session(path):
    """A model on the processor, on this thread alone."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def letterbox(picture, width, height, fill):
    """The picture on a canvas of one level, and its gain, left and top there."""
    gain = min(height / picture.shape[0], width / picture.shape[1])
    inner = (round(picture.shape[1] * gain), round(picture.shape[0] * gain))
    if inner != (picture.shape[1], picture.shape[0]):
        picture = cv2.resize(picture, inner, interpolation=cv2.INTER_LINEAR)
    left, top = round((width - inner[0]) / 2 - 0.1), round((height - inner[1]) / 2 - 0.1)
    right, bottom = width - inner[0] - left, height - inner[1] - top
    border = (fill, fill, fill)
    padded = cv2.copyMakeBorder(picture, top, bottom, left, right, cv2.BORDER_CONSTANT, value=border)
    return padded, gain, left, top


def planes(picture, mean=None, std=None):
    """[3, height, width] float32 of an RGB picture: 0..1, then (x - mean) / std."""
    values = picture.transpose(2, 0, 1).astype(np.float32)
    values /= 255
    if mean is not None:
        values -= np.array(mean, np.float32)[:, None, None]
        values /= np.array(std, np.float32)[:, None, None]
    return values


def whole(box):
    return [int(edge) for edge in box]


def cut(picture, box):
    """The pixels of a box, and where they begin; an end is exclusive and never the last column or row."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = whole(box)
    x1, x2 = np.clip([x1, x2], 0, width - 1)
    y1, y2 = np.clip([y1, y2], 0, height - 1)
    return picture[y1:y2, x1:x2], (x1, y1, x2, y2)


def body_crop(picture, boxes, index):
    """A person with everybody else black; None where less than 40 % would be left of it."""
    crop, (left, top, right, bottom) = cut(picture, boxes[index])
    height, width = crop.shape[:2]
    if height < MIN_BODY_SIDE or width < MIN_BODY_SIDE:
        return None
    crop = crop.copy()
    for place, other in enumerate(boxes):
        ox1, oy1, ox2, oy2 = whole(other)
        if place == index or min(ox2, right) <= max(ox1, left) or min(oy2, bottom) <= max(oy1, top):
            continue
        x1, x2 = np.clip([ox1 - left, ox2 - left], 0, width)
        y1, y2 = np.clip([oy1 - top, oy2 - top], 0, height)
        x1 = 0 if x1 / width < BORDER_SHARE else x1
        y1 = 0 if y1 / height < BORDER_SHARE else y1
        x2 = width if (width - x2) / width < BORDER_SHARE else x2
        y2 = height if (height - y2) / height < BORDER_SHARE else y2
        crop[y1:y2, x1:x2] = 0
    return crop if np.count_nonzero(crop) / crop.size >= MIN_REMAINING else None


def affine_crop(picture, box, width, height, scale):
    """The evaluation crop of MEBOW: the box grown to the target's shape, enlarged, mapped linearly, black outside."""
    x1, y1, x2, y2 = box
    x, y = np.float32((x1 + x2) / 2), np.float32((y1 + y2) / 2)
    grown = np.float32(max(x2 - x1, (y2 - y1) * width / height) * scale)
    source = np.array([[x, y], [x, y - grown / 2], [x - grown / 2, y - grown / 2]], np.float32)
    target = np.array(
        [[width / 2, height / 2], [width / 2, height / 2 - width / 2], [0, height / 2 - width / 2]], np.float32
    )
    return cv2.warpAffine(picture, cv2.getAffineTransform(source, target), (width, height), flags=cv2.INTER_LINEAR)


def distinct_boxes(people):
    """The boxes of (box, score), the surest first, without second boxes on a sure person."""
    kept = []
    for box, score in people:
        if all(sureness < SURE or containment(box, other) < DUPLICATE_CONTAINMENT for other, sureness in kept):
            kept.append((box, score))
    return [box for box, _ in kept]


def containment(a, b):
    """The share of the smaller box within the other one."""
    shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    return shared / min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
