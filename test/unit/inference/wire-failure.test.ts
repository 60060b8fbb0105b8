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

test('a module that a thread could not load is known on the other side', () => {
  const error = Object.assign(new Error("Cannot find module '/x.js'"), { code: 'ERR_MODULE_NOT_FOUND' });
  const back = fromWire(structuredClone(toWire(error)));
  expect(back).toMatchObject({ code: 'INSTALL_BROKEN', class: 'system', message: expect.stringContaining('/x.js') });
  expect(String(back.cause)).toContain('wire-failure.test.ts');
});

test('what an error says of this host is kept, though it was no failure yet', () => {
  const error = Object.assign(new Error('ENOMEM: not enough memory, open'), { code: 'ENOMEM', syscall: 'open' });
  const back = fromWire(structuredClone(toWire(error)));
  expect(back).toMatchObject({ code: 'HOST_OUT_OF_MEMORY', class: 'system', details: { external: 'ENOMEM' } });
  expect(back.message).toContain('not enough memory');
  expect(String(back.cause)).toContain('not enough memory');
  expect(toWire(new RangeError('Array buffer allocation failed')).code).toBe('HOST_OUT_OF_MEMORY');
});
