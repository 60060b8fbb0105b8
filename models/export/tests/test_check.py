import tempfile
import unittest
from pathlib import Path

import torch
from gpu_video_models.check import Tolerance, check_file, reference_outputs
from gpu_video_models.errors import ExportError
from gpu_video_models.export import export_vision
from gpu_video_models.onnx_file import Interface, export_graph, save
from gpu_video_models.stage import LoadedStage, VisionStage

INTERFACE = Interface("x", (3, 2, 2), "y", (4, 2, 2))
STRICT = Tolerance("values", slice(None), mean=1e-6, largest=1e-5)


class Check(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        torch.manual_seed(1)
        self.layer = torch.nn.Conv2d(3, 4, 1)
        self.sample = torch.rand(5, 3, 2, 2)

    def test_a_file_that_computes_the_same_passes_at_both_batch_sizes(self):
        path = self.folder / "same.onnx"
        save(export_graph(self.layer, INTERFACE), path)
        found = check_file(path, self.sample, reference_outputs(self.layer, self.sample), (STRICT,))
        self.assertEqual([difference.batch for difference in found], [1, 5])

    def test_a_file_that_computes_something_else_is_refused(self):
        path = self.folder / "other.onnx"
        save(export_graph(self.layer, INTERFACE), path)
        self.layer.bias.data[1] += 1e-3
        with self.assertRaisesRegex(ExportError, "other.onnx at batch 1: values differs from torch"):
            check_file(path, self.sample, reference_outputs(self.layer, self.sample), (STRICT,))

    def test_nan_is_within_no_tolerance(self):
        path = self.folder / "nan.onnx"
        save(export_graph(self.layer, INTERFACE), path)
        self.sample[0, 0, 0, 0] = float("nan")
        loose = Tolerance("values", slice(None), mean=1e9)
        with self.assertRaisesRegex(ExportError, "nan"):
            check_file(path, self.sample, reference_outputs(self.layer, self.sample), (loose,))

    def test_values_beyond_half_precision_forbid_it_and_float32_stays_possible(self):
        self.layer.weight.data.fill_(60_000)
        self.sample.fill_(1)
        loaded = LoadedStage(
            module=self.layer,
            interface=INTERFACE,
            manifest={},
            sample=self.sample,
            tolerances={"fp32": (Tolerance("values", slice(None), mean=1),)},
        )
        stage = VisionStage("loud", "loud", "loud.onnx", lambda path, scale: loaded, lambda path, scale, seed: None)
        packs = {precision: self.folder / precision for precision in ("fp32", "fp16")}
        with self.assertRaisesRegex(ExportError, "fp16 ends at 65504: use --precision fp32"):
            export_vision(stage, self.folder, "full", packs)
        fields, _ = export_vision(stage, self.folder, "full", {"fp32": packs["fp32"]})
        self.assertEqual(fields["fp32"]["model"]["opset"], 17)


if __name__ == "__main__":
    unittest.main()
