/**
 * ONNX Runtime 1.30 for Linux reports sessions and devices to its vendor and leaves a file in the temporary folder at every
 * start. The binding reads the variable when it is loaded, so this module is imported before everything else.
 */
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
