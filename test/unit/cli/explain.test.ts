import { afterEach, expect, jest, test } from '@jest/globals';
import { explain } from '../../../src/cli/explain.ts';
import { Failure } from '../../../src/failure/failure.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

function explained(error: unknown): { readonly code: number; readonly text: string } {
  let text = '';
  jest.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  return { code: explain(error), text };
}

test('an error is told with its code, its facts and its causes', () => {
  const cause = new Error('no route to host');
  const failure = new Failure('NETWORK', 'the store is away', { cause, details: { tries: 3 } });
  expect(explained(failure)).toEqual({
    code: 6,
    text: 'NETWORK: the store is away\n  tries: 3\n  because: no route to host\n',
  });
});

test('what closing ran into afterwards is told behind it and does not decide the exit code', () => {
  const lost = new Failure('GPU_LOST', 'the GPU fell off the bus');
  const database = new Failure('TIMEOUT', 'the database did not close');
  const client = new Failure('TIMEOUT', 'the client did not close');
  expect(explained(new SuppressedError(client, new SuppressedError(database, lost)))).toEqual({
    code: 3,
    text: [
      'GPU_LOST: the GPU fell off the bus',
      '  and while closing, TIMEOUT: the database did not close',
      '  and while closing, TIMEOUT: the client did not close',
      '',
    ].join('\n'),
  });
});

test('a part that cannot be loaded is told with who asked for it, and is for nobody to start again', () => {
  const error = Object.assign(new Error("Cannot find module '/dist/x.js'"), { code: 'ERR_MODULE_NOT_FOUND' });
  const { code, text } = explained(error);
  expect(code).toBe(1);
  expect(text).toMatch(/^INSTALL_BROKEN: Cannot find module '\/dist\/x.js'; .*run scripts\/setup again/);
  expect(text).toMatch(/\n {4}at .*explain\.test\.ts/);
});
