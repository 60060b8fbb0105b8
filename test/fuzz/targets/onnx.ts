import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../../../src/failure/failure.ts';
import { encodeOnnx, importedOpset, parseOnnx } from '../../../src/graphs/onnx/onnx-model.ts';
import { must, resultOf, type Target } from '../engine/target.ts';

/** The bytes of a model file. */
export const target: Target = {
  covers: ['src/graphs/onnx/onnx-model.ts', 'protobufjs/src/reader.js', 'protobufjs/src/converter.js'],
  maxBytes: 1 << 18,
  form: 'bytes',
  words: ['\x0a', '\x12', '\x1a', '\x3a', '\x7f', '\x80\x01', 'ai.onnx', 'Softmax', 'axis'],
  allowance: { fixedMs: 60, msPerKib: 3 },
  check: (input) => {
    const model = resultOf(() => parseOnnx(input, 'model.onnx'));
    if (model instanceof Failure) {
      must(model.code === 'PACK_BROKEN' && model.message.includes('model.onnx'), `refused with ${model.code}`);
      return;
    }
    importedOpset(model, '');
    const bytes = encodeOnnx(model);
    const again = parseOnnx(bytes, 'again');
    must(
      isDeepStrictEqual(Buffer.from(encodeOnnx(again)), Buffer.from(bytes)),
      'a model that is written is another one',
    );
  },
};
