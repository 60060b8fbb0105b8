import os
import pickle
import tempfile
import unittest
import zipfile
from pathlib import Path

import torch
from gpu_video_models import age_gender, detection, orientation
from gpu_video_models.checkpoint import StandIn, module_state, read_checkpoint
from gpu_video_models.errors import ExportError
from gpu_video_models.official_layout import save_dict

from tests.uninitialised import uninitialised


class Calls:
    """Pickles as a call of the function."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "checkpoint.pt"

    def refuses(self, action, *words):
        with self.assertRaises(ExportError) as caught:
            action()
        for word in (*words, str(self.path)):
            self.assertIn(word, str(caught.exception))


class Reading(Folder):
    def test_both_formats_give_the_tensors_and_values_back(self):
        base = torch.arange(12, dtype=torch.float32).reshape(3, 4)
        value = {
            "whole": base,
            "view": base[1:, ::2],
            "half": base.half(),
            "empty": torch.zeros(0, 3),
            "n": 1.5,
            "t": (1, "a"),
        }
        for older in (False, True):
            save_dict(value, self.path, older_format=older)
            read = read_checkpoint(self.path)
            for name in ("whole", "view", "half", "empty"):
                self.assertTrue(torch.equal(read[name], value[name]), name)
                self.assertEqual(read[name].dtype, value[name].dtype)
            self.assertEqual((read["n"], read["t"]), (1.5, (1, "a")))

    def test_a_numpy_scalar_is_a_number(self):
        import numpy

        save_dict({"avg_age": numpy.float64(48.25), "max_age": numpy.int64(95)}, self.path)
        read = read_checkpoint(self.path)
        self.assertEqual((read["avg_age"], read["max_age"]), (48.25, 95))

    def test_nothing_that_a_pickle_names_is_run(self):
        mark = self.path.with_name("ran")
        harmful = [
            Calls(os.system, f"touch {mark}"),
            Calls(eval, f"open({str(mark)!r}, 'w')"),
            Calls(getattr, os, "system"),
            Calls(Path.touch, mark),
        ]
        for older in (False, True):
            for attack in harmful[:2] + harmful[3:]:
                save_dict({"state_dict": {}, "extra": attack}, self.path, older_format=older)
                self.assertIsInstance(read_checkpoint(self.path)["extra"], StandIn)
        self.assertFalse(mark.exists())

    def test_a_bare_pickle_is_refused_and_not_run(self):
        mark = self.path.with_name("ran")
        self.path.write_bytes(pickle.dumps(Calls(os.system, f"touch {mark}")))
        self.refuses(lambda: read_checkpoint(self.path), "torch.save")
        self.assertFalse(mark.exists())

    def test_files_that_are_cut_short_are_refused(self):
        for older in (False, True):
            save_dict({"weights": torch.zeros(1000)}, self.path, older_format=older)
            whole = self.path.read_bytes()
            for length in (0, 1, 100, len(whole) // 2, len(whole) - 100):
                self.path.write_bytes(whole[:length])
                self.refuses(lambda: read_checkpoint(self.path))

    def test_another_zip_file_and_a_missing_file_are_refused(self):
        with zipfile.ZipFile(self.path, "w") as archive:
            archive.writestr("readme.txt", "no checkpoint")
        self.refuses(lambda: read_checkpoint(self.path), "not one of torch.save")
        self.path.unlink()
        self.refuses(lambda: read_checkpoint(self.path), "cannot be read")

    def test_a_tensor_outside_its_storage_is_refused(self):
        save_dict({"weights": torch.arange(16.0)}, self.path)
        with zipfile.ZipFile(self.path) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        data = next(name for name in entries if name.endswith("data.pkl"))
        # The size (16,) as K\x10; what is claimed is longer than what is stored.
        entries[data] = entries[data].replace(b"K\x00K\x10\x85", b"K\x00K\x7f\x85")
        with zipfile.ZipFile(self.path, "w") as archive:
            for name, content in entries.items():
                archive.writestr(name, content)
        self.refuses(lambda: read_checkpoint(self.path), "outside its storage")


class Stages(Folder):
    def change_dict(self, stage, change):
        stage.write_random(self.path, "tiny", 1)
        value = read_checkpoint(self.path)
        change(value)
        save_dict(value, self.path)

    def refuses_dict(self, stage, change, *words):
        self.change_dict(stage, change)
        self.refuses(lambda: stage.load(self.path, "tiny"), *words)

    def write_detector(self, **attributes):
        """A detector's checkpoint whose module has other attributes."""
        original = detection.save_whole_model
        try:
            detection.save_whole_model = lambda model, classes, known, path: original(
                model, classes, {**known, **attributes}, path
            )
            detection.write_random(self.path, "tiny", 1)
        finally:
            detection.save_whole_model = original

    def test_a_detector_is_read_from_pickled_modules(self):
        detection.write_random(self.path, "tiny", 1)
        model = read_checkpoint(self.path)["model"]
        self.assertEqual(type(model).pickled_class, "ultralytics.nn.tasks.DetectionModel")
        self.assertEqual(model.attribute("names"), {0: "person", 1: "face"})
        state = module_state(model)
        self.assertEqual(state["model.0.conv.weight"].dtype, torch.float16)
        self.assertIn("model.22.dfl.conv.weight", state)

    def test_the_order_of_the_classes_is_the_checkpoints(self):
        self.write_detector(names={0: "face", 1: "person"})
        self.assertEqual(detection.load(self.path, "tiny").manifest["classes"], ["face", "person"])

    def test_other_detectors_are_refused(self):
        self.write_detector(names={0: "person", 1: "bicycle"})
        self.refuses(lambda: detection.load(self.path, "tiny"), "person, bicycle", "expected person and face")
        self.write_detector(names=None)
        self.refuses(lambda: detection.load(self.path, "tiny"), "names no classes")
        self.write_detector(stride=torch.tensor([8.0]))
        self.refuses(lambda: detection.load(self.path, "tiny"), "stride")
        save_dict({"model": {}}, self.path)
        self.refuses(lambda: detection.load(self.path, "tiny"), "expected a detector's checkpoint")
        detection.write_random(self.path, "tiny", 1)
        with uninitialised():
            self.refuses(lambda: detection.load(self.path, "full"), "does not fit the architecture", "of another shape")

    def test_ages_come_from_the_checkpoint(self):
        self.change_dict(age_gender, lambda value: value.update(min_age=0, max_age=122, avg_age=36.6))
        loaded = age_gender.load(self.path, "tiny")
        ages = {field: loaded.manifest[field] for field in ("minAge", "maxAge", "avgAge")}
        self.assertEqual(ages, {"minAge": 0, "maxAge": 122, "avgAge": 36.6})

    def test_age_models_that_do_not_fit_are_refused(self):
        def without(key):
            return lambda value: value.pop(key)

        self.refuses_dict(age_gender, without("avg_age"), "avg_age")
        self.refuses_dict(age_gender, lambda value: value.update(no_gender=True), "age alone")
        self.refuses_dict(age_gender, lambda value: value["state_dict"].pop("head.bias"), "missing (head.bias)")
        self.refuses_dict(age_gender, lambda value: value["state_dict"].update(other=torch.zeros(1)), "unknown (other)")
        self.refuses_dict(
            age_gender, lambda value: value["state_dict"]["head.bias"].fill_(float("nan")), "NaN", "head.bias"
        )
        self.refuses_dict(
            age_gender, lambda value: value["state_dict"].pop("patch_embed.conv1.0.weight"), "faces alone"
        )

    def test_training_statistics_are_left_out(self):
        self.change_dict(age_gender, lambda value: value["state_dict"].update({"fds.running_mean": torch.zeros(3)}))
        age_gender.load(self.path, "tiny")

    def test_a_pose_network_without_the_orientation_head_is_refused(self):
        def pose_only(value):
            for name in [name for name in value if name.startswith("hoe_")]:
                del value[name]

        self.refuses_dict(orientation, pose_only, "no orientation head", "hoe_fc", "model_hboe.pth")

    def test_a_checkpoint_of_parallel_training_loads(self):
        orientation.write_random(self.path, "tiny", 1)
        state = read_checkpoint(self.path)
        save_dict({"state_dict": {f"module.{name}": tensor for name, tensor in state.items()}}, self.path)
        orientation.load(self.path, "tiny")


if __name__ == "__main__":
    unittest.main()
