import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { runChaos } from './chaos.ts';
import { receivesOfSeed } from './options.ts';
import { renderReport } from './report.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    workers: { type: 'string', default: '3' },
    jobs: { type: 'string', default: '200' },
    faults: { type: 'string' },
    'max-receives': { type: 'string' },
    short: { type: 'boolean', default: false },
    log: { type: 'string' },
    json: { type: 'boolean', default: false },
    'own-mounts': { type: 'boolean', default: false },
  },
});

// Mounts of a namespace end with its last process, however that ends.
if (!values['own-mounts'] && process.execve !== undefined && spawnSync('unshare', ['--mount', 'true']).status === 0) {
  const found = spawnSync('/bin/sh', ['-c', 'command -v unshare'], { encoding: 'utf8' }).stdout.trim();
  const again = [...process.execArgv, ...process.argv.slice(1), '--own-mounts'];
  process.execve(found, ['unshare', '--mount', process.execPath, ...again], process.env);
}

const jobs = Number(values.jobs);
const seed = Number(values.seed);
const report = await runChaos({
  seed,
  workers: Number(values.workers),
  jobs,
  faults: Number(values.faults ?? Math.max(16, Math.ceil(jobs / 2))),
  form: values.short ? 'short' : 'full',
  maxReceives: Number(values['max-receives'] ?? receivesOfSeed(seed)),
  canMount: values['own-mounts'],
  logFile: values.log ?? null,
  say: (line) => console.error(line),
});
// The last line on standard output is the object, for programs; people read the lines above it.
(values.json ? console.error : console.log)(renderReport(report));
if (values.json) console.log(JSON.stringify(report));
process.exitCode = report.ok ? 0 : 1;
