/**
 * An ONNX model of one node, `y = Conv(x, w, pads = 1)` with x [1,1,4,4] and w [1,1,3,3], opset 17. A convolution, because
 * it is the operator that needs cuDNN.
 */
export const CONV_PROBE_MODEL: Uint8Array = Buffer.from(
  'CAg6ggEKIgoBeAoBdxIBeSIEQ29udioRCgRwYWRzQAFAAUABQAGgAQcSBXByb2JlWhsKAXgSFgoUCAESEAoCCAEKAggBCgIIBAoC' +
    'CARaGwoBdxIWChQIARIQCgIIAQoCCAEKAggDCgIIA2IbCgF5EhYKFAgBEhAKAggBCgIIAQoCCAQKAggEQgIQEQ==',
  'base64',
);
