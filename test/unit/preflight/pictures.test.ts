import { expect, test } from '@jest/globals';
import { runCheck, type CheckResult } from '../../../src/cli/preflight/check.ts';
import { picturesCheck } from '../../../src/cli/preflight/pictures.ts';

const NEVER = new AbortController().signal;

const checked = (drawPicture: () => Promise<Uint8Array>): Promise<CheckResult> =>
  runCheck(picturesCheck({ drawPicture }), NEVER);

test('a picture that is drawn is told with its size', async () => {
  const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0);
  expect(await checked(async () => jpeg)).toMatchObject({ status: 'ok', detail: 'a JPEG of 4 bytes' });
});

test('a library that cannot be loaded fails the check, says which, and is not waited for', async () => {
  const lost = Object.assign(new Error('libvips-cpp.so.8: cannot open shared object file'), {
    code: 'ERR_DLOPEN_FAILED',
  });
  expect(await checked(() => Promise.reject(lost))).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('libvips-cpp.so.8'),
    fix: expect.stringContaining('scripts/setup'),
    mayPass: false,
  });
});

test('bytes that are no JPEG fail the check', async () => {
  expect(await checked(async () => new Uint8Array(8))).toMatchObject({ status: 'fail', mayPass: false });
});
