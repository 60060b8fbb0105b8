"""Where the published checkpoints are, and on what terms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    key: str
    title: str
    file_name: str
    """None where the authors publish no address that a program could fetch."""
    url: str | None
    page: str
    licence: str
    terms: str
    licence_page: str
    """Published by the authors; None: recorded when the file is first seen here."""
    sha256: str | None = None


DETECTION = Source(
    key="detection",
    title="YOLOv8x person and face (yolov8x_person_face)",
    file_name="yolov8x_person_face.pt",
    url="https://huggingface.co/iitolstykh/YOLO-Face-Person-Detector/resolve/main/yolov8x_person_face.pt",
    page="https://huggingface.co/iitolstykh/YOLO-Face-Person-Detector",
    licence="AGPL-3.0 (or Ultralytics Enterprise), and MiVOLO's licence",
    terms="Commercial use under the AGPL's terms or with a paid licence only; who offers a service must offer its source.",
    licence_page="https://www.ultralytics.com/license",
)
AGE_GENDER = Source(
    key="age-gender",
    title="MiVOLO d1, face and body (model_imdb_cross_person)",
    file_name="model_imdb_cross_person_4.22_99.46.pth.tar",
    url="https://drive.usercontent.google.com/download?id=11i8pKctxz3wVkDBlWKvhYIh7kpVFXSZ4&export=download&confirm=t",
    page="https://github.com/WildChlamydia/MiVOLO",
    licence="MiVOLO public licence with attribution and conditions reserved",
    terms="Name the authors; the same terms for what you derive, exports included.",
    licence_page="https://github.com/WildChlamydia/MiVOLO/tree/main/license",
)
ORIENTATION = Source(
    key="orientation",
    title="MEBOW HRNet-W32 with orientation head (model_hboe)",
    file_name="model_hboe.pth",
    url=None,
    page="https://github.com/ChenyanWu/MEBOW#quick-demo",
    licence="no licence file; data for research only",
    terms="No right beyond research is given: commercial use of the data is not allowed.",
    licence_page="https://github.com/ChenyanWu/MEBOW",
)
LANGUAGE = Source(
    key="language",
    title="FastVLM 0.5B stage 2 (llava-fastvithd_0.5b_stage2)",
    file_name="llava-fastvithd_0.5b_stage2.zip",
    url="https://ml-site.cdn-apple.com/datasets/fastvlm/llava-fastvithd_0.5b_stage2.zip",
    page="https://github.com/apple/ml-fastvlm",
    licence="Apple Machine Learning Research Model licence (apple-amlr)",
    terms="Research only: no product, no commercial exploitation; the licence goes with every copy and derivative.",
    licence_page="https://github.com/apple/ml-fastvlm/blob/main/LICENSE_MODEL",
)
SOURCES = {source.key: source for source in (DETECTION, AGE_GENDER, ORIENTATION, LANGUAGE)}
