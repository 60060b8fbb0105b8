"""Official checkpoints to ONNX model packs. Model definitions need torch only; writing a pack needs onnx and ONNX Runtime too."""
