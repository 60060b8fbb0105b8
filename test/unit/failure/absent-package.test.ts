import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { loadOptional } from '../../../src/failure/absent-package.ts';

const OPTIONAL = { name: '@scope/nowhere', purpose: 'a server of the demo', instead: 'use a real one' };
const SENTENCE =
  'the package @scope/nowhere is not installed: it is a server of the demo, which a production install leaves out; ' +
  'use a real one, or run scripts/setup without --production';

/** What Node says about `specifier`; in this process the test runner resolves imports, with errors of its own. */
async function nodeErrorOf(specifier: string): Promise<Error> {
  const program = `import(${JSON.stringify(specifier)}).catch(({ code, message }) => console.log(JSON.stringify({ code, message })))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  const { code, message } = JSON.parse(stdout) as { code: string; message: string };
  return Object.assign(new Error(message), { code });
}

const failing = (error: unknown) => async (): Promise<never> => {
  throw error;
};

test('a package that is not installed is a configuration error with the way out', async () => {
  const cause = await nodeErrorOf('@scope/nowhere/deep.js');
  await expect(loadOptional(OPTIONAL, failing(cause))).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: SENTENCE,
    cause,
  });
});

test('a package that is there and cannot be loaded says so itself', async () => {
  const missesAnother = await nodeErrorOf('nowhere-else');
  for (const error of [missesAnother, new SyntaxError("Cannot find package '@scope/nowhere'"), 'no error at all']) {
    await expect(loadOptional(OPTIONAL, failing(error))).rejects.toBe(error);
  }
});

test('a package that is there is what its import gives', async () => {
  expect(await loadOptional(OPTIONAL, async () => 7)).toBe(7);
});
