import { isDeepStrictEqual } from 'node:util';
import { loadConfig } from '../../../src/config/config.ts';
import { allKeys } from '../../../src/config/render.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { must, resultOf, type Target } from '../engine/target.ts';

const NAMES = allKeys().map(({ name }) => name);

/** The environment, a line for each variable. */
export const target: Target = {
  covers: ['src/config/config.ts', 'src/config/forms.ts', 'src/config/rules.ts', 'src/config/keys/shared-forms.ts'],
  maxBytes: 1 << 16,
  form: 'text',
  words: [
    ...NAMES.map((name) => `\n${name}=`),
    'auto',
    'off',
    'on',
    '0',
    '1',
    '4096',
    'https://',
    'http://localhost:4566',
    ',',
  ],
  check: (input) => {
    const env = environmentFrom(input.toString());
    const config = resultOf(() => loadConfig(env));
    if (config instanceof Failure) {
      must(config.code === 'CONFIG_INVALID', `a setting is refused with ${config.code}`);
      must(
        NAMES.some((name) => config.message.includes(name)),
        'a refusal names no variable',
      );
      must(config.message.length <= 1_000 * (NAMES.length + 1), 'a refusal repeats all that it refuses');
      return;
    }
    must(Object.isFrozen(config) && Object.values(config).every(Object.isFrozen), 'a configuration can be changed');
    must(isDeepStrictEqual(loadConfig(env), config), 'the same environment gives two configurations');
    for (const section of Object.values(config)) {
      for (const [name, value] of Object.entries(section)) {
        must(typeof value !== 'number' || Number.isFinite(value), `${name} is ${String(value)}`);
        must(typeof value !== 'string' || !/[\r\n\0]/.test(value), `${name} has more than one line`);
      }
    }
  },
};

/** No environment has a NUL in it, and files that take the place of secrets are none of the text's. */
function environmentFrom(text: string): Readonly<Record<string, string>> {
  const lines = text.replaceAll('\0', '').split('\n');
  const pairs = lines.map((line): [string, string] => {
    const middle = Math.max(0, line.indexOf('='));
    return [line.slice(0, middle), line.slice(middle + 1)];
  });
  return Object.fromEntries(pairs.filter(([name]) => NAMES.includes(name)));
}
