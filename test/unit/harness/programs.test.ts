import { glob, readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';

/** The programs that tests may start, by who provides them: what is not here is not on a machine that was just made. */
const PROVIDED: Readonly<Record<string, readonly string[]>> = {
  "the machine, as the README's first line asks": ['git', 'npm'],
  'Debian in its smallest form': [
    'bash',
    'cp',
    'ldconfig',
    'mkfifo',
    'mknod',
    'mount',
    'nsenter',
    'prlimit',
    'sh',
    'sleep',
    'tar',
    'test',
    'umount',
    'unshare',
  ],
  'scripts/setup': ['ffmpeg', 'ffprobe'],
  'scripts/setup --tests': ['gcc', 'nm', 'openssl', 'psql', 'python3', 'systemd-analyze'],
  'the driver of a host with a GPU, for its benches alone': ['nvidia-smi'],
};
const STARTERS = [
  // Of a regular expression it is another.
  '(?<!\\.)exec',
  'execFile',
  'execFileSync',
  'execSync',
  'fork',
  'runCommand',
  'runProgram',
  'spawn',
  'spawnSync',
];

/** What a text starts by a bare name: given as it is, or by a constant, also to a starter that it has renamed or wrapped. */
function programsIn(text: string): string[] {
  const known = STARTERS.join('|');
  const renamed = [
    ...text.matchAll(new RegExp(`\\b(\\w+) = promisify\\((?:${known})\\)`, 'g')),
    ...text.matchAll(new RegExp(`\\b(?:${known}) as (\\w+)`, 'g')),
  ].map(([, name = '']) => name);
  const wrapped = [...text.matchAll(/\bfunction (\w+)\(\s*(\w+): string/g)]
    .filter(([, , program]) => new RegExp(`\\b(?:${known})\\)?\\(\\s*${program}\\b`).test(text))
    .map(([, name = '']) => name);
  const starters = [...STARTERS, ...renamed, ...wrapped].join('|');
  const calls = new RegExp(`\\b(?:(?:${starters})|promisify\\((?:${known})\\))\\(\\s*([\\w'"\`][^,)\\s]*)`, 'g');
  return [...text.matchAll(calls)].flatMap(([, program = '']) => namesOf(program, text));
}

/** A string's own text; for a name what the file says that it stands for. Paths are no bare names, and templates with parts no names. */
function namesOf(argument: string, text: string): string[] {
  const literal = /^(['"`])([^'"`/$]+)\1$/.exec(argument)?.[2];
  if (literal !== undefined) return [literal];
  if (!/^\w+$/.test(argument)) return [];
  const constant = new RegExp(
    `\\bconst ${argument} (?:=|of) \\[?((?:(?:'[^'/]+'|"[^"/]+"|\`[^\`/$]+\`)(?:, )?)+)\\]?[;)]`,
  );
  return [...(constant.exec(text)?.[1] ?? '').matchAll(/(['"`])(.+?)\1/g)].map(([, , name = '']) => name);
}

test.each([
  ['in single quotes', `spawn('tar', [])`],
  ['in double quotes', `spawn("tar", [])`],
  ['in a template', 'spawn(`tar`, [])'],
  ['on a line of its own', `await runProgram(\n  'tar',\n  [])`],
  ['by a promise', `await promisify(execFile)('tar', [])`],
  ['by a promise with a name', `const run = promisify(execFile);\nawait run('tar')`],
  ['by a starter with another name', `import { spawn as start } from 'node:child_process';\nstart('tar')`],
  ['by a function around a starter', `function run(tool: string) { spawn(tool, []); }\nrun('tar')`],
  ['by a method', `require('node:child_process').spawn('tar')`],
  ['by a constant', `const TOOL = 'tar';\nspawn(TOOL, [])`],
  ['one of a list', `for (const tool of ['tar', 'git']) spawn(tool)`],
])('a program that is started %s is found', (_how, text) => {
  expect(programsIn(text)).toContain('tar');
});

test.each([
  ['a path', `spawn('/bin/tar')`],
  ['a path of parts', 'spawn(`${folder}tar`)'],
  ['a pattern', `/x/.exec('tar')`],
])('%s is no name of a program', (_what, text) => {
  expect(programsIn(text)).toEqual([]);
});

test('tests start no program that set-up does not install; facts about processes come from the harness', async () => {
  const allowed = new Set(Object.values(PROVIDED).flat());
  const started = new Map<string, string>();
  for await (const file of glob('test/**/*.{ts,cjs}')) {
    for (const program of programsIn(await readFile(file, 'utf8'))) started.set(program, file);
  }
  // The pattern finds what is there.
  expect([...started.keys()]).toEqual(expect.arrayContaining(['bash', 'ffmpeg', 'tar']));
  const others = [...started].filter(([program]) => !allowed.has(program)).map((pair) => pair.join(' in '));
  expect(others).toEqual([]);
});
