import { parseArgs } from 'node:util';
import { runChaos } from './chaos.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    workers: { type: 'string', default: '3' },
    jobs: { type: 'string', default: '200' },
    faults: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const jobs = Number(values.jobs);
const report = await runChaos({
  seed: Number(values.seed),
  workers: Number(values.workers),
  jobs,
  faults: Number(values.faults ?? Math.max(8, Math.ceil(jobs / 5))),
  say: (line) => console.error(line),
});
console.log(values.json ? JSON.stringify(report) : JSON.stringify(report, null, 2));
process.exitCode = report.ok ? 0 : 1;
