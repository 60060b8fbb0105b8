import unittest
from pathlib import Path

import torch
from gpu_video_models import mebow, mivolo, volo, yolov8
from gpu_video_models.errors import ExportError
from gpu_video_models.folding import count_parameters, fold_batch_norms
from gpu_video_models.half import to_half
from gpu_video_models.onnx_file import Interface, export_graph, operators, save
from gpu_video_models.random_weights import randomise, settle_batch_norms
from torch.nn import functional

from tests.uninitialised import uninitialised


class Sizes(unittest.TestCase):
    """Parameters of the published models: an architecture that differs anywhere differs here."""

    def setUp(self):
        patch = uninitialised()
        patch.start()
        self.addCleanup(patch.stop)

    def test_detector(self):
        self.assertEqual(count_parameters(yolov8.Detector(yolov8.FULL, 80)), 68_229_648)
        self.assertEqual(count_parameters(fold_batch_norms(yolov8.Detector(yolov8.FULL, 2))), 68_125_494)

    def test_age_and_gender(self):
        self.assertEqual(count_parameters(mivolo.AgeGenderNetwork(mivolo.FULL)), 27_432_414)

    def test_orientation(self):
        heatmaps = 17 * 32 + 17
        self.assertEqual(count_parameters(mebow.OrientationNetwork(mebow.FULL)), 39_633_017 - heatmaps)


class Windows(unittest.TestCase):
    def test_taking_is_unfold_and_putting_is_fold(self):
        generator = torch.Generator().manual_seed(3)
        x = torch.randn(2, 12, 8, 5, generator=generator)
        unfolded = functional.unfold(x.permute(0, 3, 1, 2), 3, padding=1, stride=2)
        windows = volo.take_windows(x)
        self.assertTrue(torch.equal(windows, unfolded.reshape(2, 5, 3, 3, 6, 4).permute(0, 4, 5, 2, 3, 1)))
        other = torch.randn(windows.shape, generator=generator)
        columns = other.permute(0, 5, 3, 4, 1, 2).reshape(2, 45, 24)
        folded = functional.fold(columns, (12, 8), 3, padding=1, stride=2).permute(0, 2, 3, 1)
        self.assertLess(float((volo.put_windows(other) - folded).abs().max()), 1e-5)


class Folding(unittest.TestCase):
    def test_folded_batch_norms_change_no_output(self):
        model = mebow.OrientationNetwork(mebow.TINY)
        randomise(model, 5)
        pictures = torch.randn(2, 3, 256, 192, generator=torch.Generator().manual_seed(5))
        settle_batch_norms(model, pictures)
        with torch.no_grad():
            before = model(pictures)
            after = fold_batch_norms(model)(pictures)
        self.assertGreater(float(before.std()), 1e-3)
        self.assertLess(float((before - after).abs().max()), 1e-5)


class Graphs(unittest.TestCase):
    def test_an_operator_that_leaves_the_gpu_is_refused(self):
        class WithMod(torch.nn.Module):
            def forward(self, x):
                return torch.fmod(x, 2.0)

        graph = export_graph(WithMod(), Interface("x", (3,), "y", (3,)))
        with self.assertRaisesRegex(ExportError, "Mod"):
            save(graph, Path("refused.onnx"))

    def test_padding_leaves_no_shape_arithmetic(self):
        class Padded(torch.nn.Module):
            def forward(self, x):
                return functional.pad(x, [1, 0, 0, 2]) * 2

        graph = export_graph(Padded(), Interface("x", (3, 4, 4), "y", (3, 6, 5)))
        self.assertEqual(operators(graph), {"Mul": 1, "Pad": 1})

    def test_half_precision_keeps_what_it_is_told_and_the_interface(self):
        class Two(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.body = torch.nn.Conv2d(3, 4, 1)
                self.decode = torch.nn.Conv2d(4, 2, 1)

            def forward(self, x):
                return self.decode(self.body(x))

        graph = export_graph(Two(), Interface("x", (3, 2, 2), "y", (2, 2, 2)))
        half = to_half(graph, lambda name: name.startswith("/decode/"))
        self.assertEqual(
            [value.type.tensor_type.elem_type for value in (*half.graph.input, *half.graph.output)], [1, 1]
        )
        types = {tensor.name: tensor.data_type for tensor in half.graph.initializer}
        kinds = [types[node.input[1]] for node in half.graph.node if node.op_type == "Conv"]
        self.assertEqual(kinds, [10, 1])
        self.assertEqual(operators(half), {"Cast": 2, "Conv": 2})

    def test_weights_beyond_half_precision_are_refused(self):
        layer = torch.nn.Conv2d(3, 4, 1)
        layer.weight.data.fill_(70_000)
        graph = export_graph(layer, Interface("x", (3, 2, 2), "y", (4, 2, 2)))
        with self.assertRaisesRegex(ExportError, "do not fit into fp16"):
            to_half(graph)


if __name__ == "__main__":
    unittest.main()
