import { expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { fromWire, toWire } from '../../../src/inference/thread/wire-failure.ts';

test('a failure survives as plain data', () => {
  const failure = new Failure('PACK_BROKEN', 'a.onnx: size', {
    details: { file: 'a.onnx' },
    cause: new Error('why'),
    stage: 'detection',
  });
  const back = fromWire(structuredClone(toWire(failure)));
  expect(back).toBeInstanceOf(Failure);
  expect(back).toMatchObject({
    code: 'PACK_BROKEN',
    class: 'system',
    message: 'a.onnx: size',
    details: { file: 'a.onnx' },
    stage: 'detection',
  });
  expect(String(back.cause)).toContain('why');
});

test('a thing that is no error keeps its text', () => {
  expect(toWire('boom')).toMatchObject({ code: 'UNKNOWN', message: 'boom' });
});
