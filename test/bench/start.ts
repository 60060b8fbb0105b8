import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { temporaryFolder, type TemporaryFolder } from '../harness/temporary-folder.ts';
import { middleCost } from './chain-comparison.ts';
import { rounded } from './figures.ts';
import { thisMachine } from './machine.ts';
import { measureRun, type ProcessCost } from './process-cost.ts';
import { firstFrameOf, streetFootage } from './street-footage.ts';
import { videoWorker } from './worker-run.ts';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '7' },
  project: { type: 'string' },
} as const;

/** Seconds: by the clock for the version, of the processor for an analysis. */
const AIMS = { versionWallSeconds: 0.15, analyzeCpuSeconds: 1 };

interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

/**
 * Cold: nothing that Node has compiled before is used. Warm: as an operator runs it, again. Cached: with a cache of what Node compiles that
 * the round before has filled, whether the command has one of its own or not.
 */
const STATES = ['cold', 'warm', 'cached'] as const;
type State = (typeof STATES)[number];
type Costs = Readonly<Record<State, readonly ProcessCost[]>>;

/**
 * What the built operator's command costs before it does anything: whole processes, in turns, after one round that does not count. What the
 * system keeps of files in memory is there in all states, since only root may drop it. `node` is Node alone, below which nothing gets;
 * `entry` is the command without its launcher. `starts` are the programs that it starts from Node.
 */
export async function benchStart(): Promise<object> {
  const { values } = parseArgs({ options: OPTIONS, args: process.argv.slice(3) });
  await using folder = await temporaryFolder('bench-start');
  const commands = await commandsOf(values.project, folder);
  const rounds = Number(values.rounds);
  const costs = new Map<string, Record<State, ProcessCost[]>>(
    [...commands.keys()].map((name) => [name, { cold: [], warm: [], cached: [] }]),
  );
  for (let round = -1; round < rounds; round++) {
    for (const [name, { program, args }] of commands) {
      for (const state of STATES) {
        const { stdout: _said, ...cost } = await measureRun(program, args, environment(folder, state));
        if (round >= 0) costs.get(name)?.[state].push(cost);
      }
    }
  }
  const figures: Record<string, object> = {};
  for (const [name, command] of commands) {
    const { cold = [], warm = [], cached = [] } = costs.get(name) ?? {};
    const starts = await startedBy(command, folder);
    figures[name] = { cold: middleCost(cold), warm: middleCost(warm), cached: middleCost(cached), starts };
  }
  return {
    machine: thisMachine(),
    rounds,
    aims: AIMS,
    commands: figures,
    ofAims: ofAims(costs),
  };
}

async function commandsOf(project: string | undefined, folder: TemporaryFolder): Promise<ReadonlyMap<string, Command>> {
  const program = videoWorker(project);
  const root = resolve(program, '../..');
  const commands = new Map<string, Command>([
    ['node', { program: process.execPath, args: ['-e', '0'] }],
    ['entry --version', { program: process.execPath, args: [join(root, 'dist/cli/video-worker.js'), '--version'] }],
    ['--version', { program, args: ['--version'] }],
    ['--help', { program, args: ['--help'] }],
  ]);
  const street = await streetFootage();
  if (street === null) console.error('analyze skipped: the street pack and its clip are not here; set STREET_DIR');
  else {
    const args = [
      'analyze',
      await firstFrameOf(street.clip),
      '--pack',
      street.pack,
      '--json',
      folder.at('analysis.json'),
    ];
    commands.set('analyze one frame', { program, args });
  }
  return commands;
}

function environment(folder: TemporaryFolder, state: State): Readonly<Record<string, string>> {
  return {
    DEVICE: 'cpu',
    SCENE: 'off',
    WORK_DIR: folder.at('work'),
    // An empty variable hides one that whoever measures has set.
    NODE_COMPILE_CACHE: state === 'cached' ? folder.at('compiled') : '',
    ...(state === 'cold' ? { NODE_DISABLE_COMPILE_CACHE: '1' } : {}),
  };
}

/** The programs that a run of the command starts from Node, in a run that is not measured. */
async function startedBy({ program, args }: Command, folder: TemporaryFolder): Promise<readonly string[]> {
  const file = folder.at('started');
  const hook = pathToFileURL(join(import.meta.dirname, 'count-children.ts')).href;
  const env = { ...environment(folder, 'warm'), COUNT_CHILDREN_FILE: file, NODE_OPTIONS: `--import ${hook}` };
  const before = await linesOf(file);
  await measureRun(program, args, env);
  return (await linesOf(file)).slice(before.length);
}

async function linesOf(file: string): Promise<readonly string[]> {
  const said = await readFile(file, 'utf8').catch(() => '');
  return said.split('\n').filter((line) => line !== '');
}

/** What was measured warm, in parts of what is aimed at: 1 is the aim. */
export function ofAims(costs: ReadonlyMap<string, Pick<Costs, 'warm'>>): {
  readonly version: number | null;
  readonly analyze: number | null;
} {
  const version = costs.get('--version');
  const analyze = costs.get('analyze one frame');
  return {
    version: version === undefined ? null : rounded(middleCost(version.warm).wallSeconds / AIMS.versionWallSeconds),
    analyze: analyze === undefined ? null : rounded(middleCost(analyze.warm).cpuSeconds / AIMS.analyzeCpuSeconds),
  };
}
