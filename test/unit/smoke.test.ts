import { expect, test } from '@jest/globals';
import * as ort from 'onnxruntime-node';
import pRetry from 'p-retry';

test('tensors made in a test are accepted by the binding', async () => {
  const t = new ort.Tensor('float32', new Float32Array(4), [4]);
  expect(t.dims).toEqual([4]);
  expect(await pRetry(async () => 3)).toBe(3);
});
