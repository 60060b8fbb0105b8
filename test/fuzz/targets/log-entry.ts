import { guardedEntry } from '../../../src/telemetry/log-guard.ts';
import { plainLine } from '../../../src/telemetry/plain-line.ts';
import { must, type Target } from '../engine/target.ts';

/** Texts of 48,000 units and what stands between them; names are bounded one by one. */
const MOST = 400_000;

/** An entry of the log, whatever its fields are called and hold. */
export const target: Target = {
  covers: ['telemetry/log-guard.ts', 'telemetry/plain-line.ts'],
  maxBytes: 1 << 18,
  form: 'json',
  words: [
    'msg',
    'err',
    'stack',
    'message',
    'time',
    'level',
    'body',
    'password',
    'token',
    'details',
    'cause',
    'Error: x\n    at y',
    '\u001b[2J',
  ],
  allowance: { fixedMs: 60, msPerKib: 2 },
  check: (input) => {
    let entry: unknown;
    try {
      entry = JSON.parse(input.toString());
    } catch {
      return;
    }
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return;
    const guarded = guardedEntry({ ...entry, body: 'planted-body', password: 'planted-password' });
    const json = JSON.stringify(guarded);
    must(!json.includes('planted-'), 'a body or a password is logged');
    must(json.length <= MOST, `an entry has ${json.length} characters`);
    const line = plainLine(guarded);
    must(line.endsWith('\n') && !/[\p{Cc}--\n]/v.test(line), 'a line of the log steers a terminal');
    const [first = '', ...others] = line.slice(0, -1).split('\n');
    must(
      others.every((other) => other.startsWith('    ')),
      'a field begins a line of its own',
    );
    must(first.length <= MOST, 'a line has no end');
  },
};
