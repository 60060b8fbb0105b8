import argparse
import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path

from gpu_video_models import age_gender, export
from gpu_video_models.errors import ExportError
from gpu_video_models.manifest import sha256_of


class FromCheckpoints(unittest.TestCase):
    """The road of the published files, with one that is small."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.checkpoint = self.root / "mine.pth.tar"
        age_gender.write_random(self.checkpoint, "tiny", 1)
        self.options = argparse.Namespace(
            **export.parse(["--out", str(self.root / "out"), "--accept-licences", "--only", "age-gender"]).__dict__
            | {"scale": "tiny", "age_gender": str(self.checkpoint), "record": self.root / "record.json"}
        )

    def run_quietly(self):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            export.run(self.options)
        return said.getvalue()

    def test_a_part_is_exported_in_both_precisions_and_its_checkpoint_remembered(self):
        """With an older manifest, which does not outlive its graphs and stays where nothing begins."""
        out = self.options.out
        manifest = out / "fp32" / "manifest.json"
        manifest.parent.mkdir(parents=True)
        manifest.write_text("{}")
        self.options.age_gender = str(self.root / "absent.pth.tar")
        with self.assertRaises(ExportError):
            self.run_quietly()
        self.assertTrue(manifest.exists())
        self.options.age_gender = str(self.checkpoint)
        said = self.run_quietly()
        self.assertIn("MiVOLO public licence", said)
        self.assertNotIn("apple", said)
        files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
        self.assertEqual(files, ["fp16/age_gender.onnx", "fp32/age_gender.onnx", "report.json"])
        self.assertEqual(json.loads(self.options.record.read_text()), {"age-gender": sha256_of(self.checkpoint)})

    def test_a_damaged_checkpoint_leaves_no_record(self):
        self.checkpoint.write_bytes(self.checkpoint.read_bytes()[:-2000])
        with self.assertRaisesRegex(ExportError, "mine.pth.tar.*(download it again|damaged)"):
            self.run_quietly()
        self.assertFalse(self.options.record.exists())


if __name__ == "__main__":
    unittest.main()
