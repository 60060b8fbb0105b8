import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { isRunning, untilGone } from '../../harness/processes.ts';
import { runProgram, type Ended } from '../../harness/run-program.ts';

const RUN_TESTS = resolve('test/harness/run-tests.ts');
const ENVIRONMENT = resolve('test/harness/test-environment.cjs');
const OWNERSHIP = resolve('test/harness/ownership.ts');
const SLEEPS = `const { pid } = require('node:child_process').spawn('sleep', ['600'], { stdio: 'inherit' });
    require('node:fs').writeFileSync(PIDS + pid, '');`;

/** Test files, each with one fault but for the last but one. */
const FILES = {
  'leaves-a-process': `test('passes', () => { ${SLEEPS} });`,
  'fails-and-leaves-a-process': `test('fails', () => { ${SLEEPS} expect(1).toBe(2); });`,
  'leaves-a-group': `test('passes', () => {
    require('node:child_process').spawn('sh', ['-c', 'sleep 600 & echo $! >' + PIDS + '$!; exit'], { detached: true });
  });`,
  'leaves-a-server': `test('passes', (done) => { require('node:http').createServer().listen(0, '127.0.0.1', done); });`,
  'leaves-its-own': `test('leaves one', async () => {
    const { owned } = await import(${JSON.stringify(OWNERSHIP)});
    owned('a lamp', () => console.log('the lamp is out'));
    await owned('a door', () => undefined)();
  });
  test('leaves none', () => undefined);`,
  'ends-all': `test('passes', async () => {
    const child = require('node:child_process').spawn('sleep', ['600'], { stdio: 'inherit' });
    child.kill();
    await new Promise((resolve) => child.once('exit', resolve));
  });`,
  'never-ends': `describe('a block', () => { test('waits', async () => {
    ${SLEEPS}
    // What files that are just ending leave for a moment.
    require('node:fs').writeFileSync(process.env.TEST_RUN_FOLDER + '/1.running', '{"file":"half');
    require('node:fs').symlinkSync('nowhere', process.env.TEST_RUN_FOLDER + '/2.running');
    await new Promise((resolve) => require('node:net').createServer().listen(0, '127.0.0.1'));
  }, 1_000_000); });`,
};

type Name = keyof typeof FILES;

interface FileEnd {
  readonly status: string;
  readonly message: string;
  /** The processes that the file has started. */
  readonly pids: readonly number[];
}

interface RunEnd extends Ended {
  readonly files: Readonly<Partial<Record<Name, FileEnd>>>;
}

/** What Jest itself does before and after the files. */
type Hooks = Readonly<Partial<Record<'globalSetup' | 'globalTeardown', string>>>;

/** Runs some of the files as a project of their own, as `npm test` does. */
async function runProject(names: readonly Name[], args: readonly string[], hooks: Hooks = {}): Promise<RunEnd> {
  const project = await mkdtemp(join(tmpdir(), 'project-'));
  const pidsOf = (name: Name): string => join(project, `pids-of-${name}`);
  for (const name of names) {
    await mkdir(pidsOf(name));
    const text = `const PIDS = ${JSON.stringify(`${pidsOf(name)}/`)};\n${FILES[name]}`;
    await writeFile(join(project, `${name}.test.js`), text);
  }
  const settings: Record<string, unknown> = { rootDir: project, testEnvironment: ENVIRONMENT, transform: {} };
  for (const [hook, code] of Object.entries(hooks)) {
    settings[hook] = join(project, `${hook}.js`);
    await writeFile(join(project, `${hook}.js`), `module.exports = async () => { ${code} };`);
  }
  const config = JSON.stringify(settings);
  const results = join(project, 'results.json');
  const options = ['--config', config, '--no-cache', '--json', '--outputFile', results, ...args];
  const env = { ...process.env, TEST_RUN_FOLDER: undefined };
  const ended = await runProgram(process.execPath, [RUN_TESTS, ...options], { env, timeoutMs: 150_000 });
  const told = JSON.parse(await readFile(results, 'utf8').catch(() => '{"testResults":[]}')) as {
    testResults: readonly { name: string; status: string; message: string }[];
  };
  const files: Partial<Record<Name, FileEnd>> = {};
  for (const name of names) {
    const { status = 'no result', message = '' } = told.testResults.find((one) => one.name.includes(name)) ?? {};
    files[name] = { status, message, pids: (await readdir(pidsOf(name))).map(Number) };
  }
  return { ...ended, files };
}

const LIMIT_MINUTES = 0.1;
/** A machine that does much else takes its time before the first file. */
const TAKES_LONG = `await new Promise((resolve) => setTimeout(resolve, ${LIMIT_MINUTES * 60_000}));`;
const sleepsOn = (seconds: number): Hooks => ({
  globalTeardown: `require('node:child_process').spawn('sleep', ['${seconds}'], { stdio: 'ignore', detached: true }).unref();`,
});

let faulty: RunEnd;
let endless: RunEnd;
let slowToEnd: RunEnd;
let leaving: RunEnd;

beforeAll(async () => {
  const names = (Object.keys(FILES) as Name[]).filter((name) => name !== 'never-ends');
  [faulty, endless, slowToEnd, leaving] = await Promise.all([
    runProject(names, ['--maxWorkers', '2']),
    runProject(['never-ends'], ['--runInBand', '--minutes', `${LIMIT_MINUTES}`], { globalSetup: TAKES_LONG }),
    runProject(['ends-all'], ['--runInBand'], sleepsOn(1)),
    runProject(['ends-all'], ['--runInBand'], sleepsOn(600)),
  ]);
}, 180_000);

test('a run with leaks ends by itself, and fails', () => {
  expect(faulty.code).toBe(1);
  expect(faulty.stderr).toMatch(/5 failed, 1 passed, 6 total/);
});

test.each(['leaves-a-process', 'fails-and-leaves-a-process', 'leaves-a-group'] as const)(
  'a file that %s has it killed and named, and fails',
  async (name) => {
    const { status, message, pids } = faulty.files[name]!;
    expect({ status, message }).toEqual({
      status: 'failed',
      message: expect.stringMatching(/left behind .*sleep 600/),
    });
    expect(pids).toHaveLength(1);
    for (const pid of pids) expect(await isRunning(pid)).toBe(false);
  },
);

test('a server that goes on listening is closed, named and a failure', () => {
  expect(faulty.files['leaves-a-server']).toMatchObject({
    status: 'failed',
    message: expect.stringMatching(/the file left behind a server that listens on .*"port":\d+/),
  });
});

test('what the harness has started for a test is ended after it, and the test fails', () => {
  const { status, message } = faulty.files['leaves-its-own']!;
  expect(status).toBe('failed');
  expect(message).toContain('the test left open a lamp');
  expect(message).toContain('leaves one');
  expect(message).not.toMatch(/a door|leaves none/);
  expect(faulty.stderr).toContain('the lamp is out');
});

test('a file that ends what it starts passes', () => {
  expect(faulty.files['ends-all']).toMatchObject({ status: 'passed', message: '' });
});

test('a run may leave what is just ending', () => {
  expect(slowToEnd.stderr).not.toContain('left behind');
  expect(slowToEnd.code).toBe(0);
});

test('what a whole run leaves behind is killed and named, and the run fails', () => {
  expect(leaving.code).toBe(1);
  expect(leaving.stderr).toMatch(/The tests left behind, and it was killed:\n {2}\d+ sleep 600 /);
});

test('a run that is not done at its limit says what runs and what is open, kills it and fails', async () => {
  const { code, stderr, files } = endless;
  expect(code).toBe(124);
  expect(stderr).toContain(`not done after ${LIMIT_MINUTES} minutes`);
  expect(stderr).toMatch(/still running: never-ends\.test\.js, a block › waits, for \d+ s/);
  expect(stderr).toContain('a file that is just beginning or ending (process 1)');
  expect(stderr).toContain('a file that is just beginning or ending (process 2)');
  expect(stderr).toMatch(/open in process \d+: .*1 TCPServerWrap/);
  expect(stderr).toMatch(/\d+ sleep 600 \(for \d+ s/);
  const { pids } = files['never-ends']!;
  expect(pids).toHaveLength(1);
  for (const pid of pids) await untilGone(pid);
});
