import { globSync, readFileSync } from 'node:fs';
import { afterEach, expect, jest, test } from '@jest/globals';
import { explain } from '../../../src/cli/explain.ts';
import { preflightLines } from '../../../src/cli/preflight/render.ts';
import { progressText } from '../../../src/cli/progress-text.ts';
import { complain, linesOf, say, sayJson } from '../../../src/cli/terminal.ts';
import { Failure } from '../../../src/failure/failure.ts';

/** Clears a screen, writes another line, turns a name around, and holds a password. */
const HOSTILE = 'a\u001b[2J\u009b31m\r\nforged line\u202egpj.4\u2066 PGPASSWORD=Zq7hunter';
// oxlint-disable-next-line no-control-regex
const STEERING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

afterEach(() => {
  jest.restoreAllMocks();
});

/** What comes out of both streams meanwhile. */
function written(work: () => unknown): string {
  let text = '';
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((chunk) => {
      text += String(chunk);
      return true;
    });
  }
  work();
  return text;
}

test.each([
  ['a line of a result', () => say(`video ${HOSTILE}`)],
  ['a line about the work', () => complain(`video ${HOSTILE}`)],
  ['an error', () => explain(new Failure('NOT_A_VIDEO', HOSTILE, { details: { words: HOSTILE } }))],
  ['an error behind an error', () => explain(new Failure('NETWORK', 'away', { cause: new Error(HOSTILE) }))],
  ['an error that nobody expected', () => explain(new Error(HOSTILE))],
  [
    'a check of the preflight',
    () =>
      say(
        ...preflightLines({
          ok: true,
          device: 'cpu',
          decoderGpu: null,
          checks: [{ name: 'queue', status: 'warn', detail: HOSTILE, fix: HOSTILE, mayPass: false }],
        }),
      ),
  ],
])('%s steers no terminal, forges no line and shows no secret', (_name, work) => {
  const text = written(work);
  expect(text).not.toMatch(STEERING);
  expect(text).not.toContain('Zq7');
  expect(text).toContain('PGPASSWORD=***');
  expect(text.split('\n').filter((line) => line.startsWith('forged'))).toEqual([]);
  expect(text.endsWith('\n')).toBe(true);
});

test('progress steers a terminal by nothing but its own line', () => {
  let text = '';
  const out = { isTTY: true, write: (chunk: string) => (text += chunk) !== '' } as unknown as NodeJS.WriteStream;
  progressText(out).update({ stage: HOSTILE, percent: 1 });
  expect(text.replace('\r\u001b[2K', '')).not.toMatch(STEERING);
});

test('what a stranger calls his video hides nothing that stands behind it in the line', () => {
  expect(written(() => say(['a authorization:', '  failed  NOT_A_VIDEO  ', 's3://b/password=x']))).toBe(
    'a authorization:  failed  NOT_A_VIDEO  s3://b/password=***\n',
  );
});

test('JSON for programs says the same, and a terminal can show it', () => {
  const text = written(() => sayJson({ key: HOSTILE }));
  expect(JSON.parse(text)).toEqual({ key: HOSTILE });
  expect(text).not.toMatch(STEERING);
});

test('reasons in JSON show no secret, names of objects stay as they are', () => {
  const text = written(() =>
    sayJson({
      key: 'token=a/b.mp4',
      written: { reason: HOSTILE },
      run: { failureReason: HOSTILE, n: [{ message: HOSTILE }] },
    }),
  );
  expect(text).not.toContain('Zq7');
  expect(JSON.parse(text)).toMatchObject({
    key: 'token=a/b.mp4',
    written: { reason: HOSTILE.replace('Zq7hunter', '***') },
  });
});

test('lines of a text are told from lines of the command by their indent', () => {
  expect(linesOf('CODE: a\nb\n  c')).toEqual(['CODE: a', '  b', '  c']);
});

test('no command writes to a terminal but through these', () => {
  const may = ['src/cli/terminal.ts', 'src/cli/video-worker.ts'];
  const found = globSync('src/cli/**/*.ts').filter((file) => {
    const text = readFileSync(file, 'utf8');
    return /process\.(stdout|stderr)\.write|console\.(log|error|warn|info)/.test(text);
  });
  expect(found.toSorted()).toEqual(may);
});
