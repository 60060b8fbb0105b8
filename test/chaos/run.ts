import { parseArgs } from 'node:util';
import { runChaos } from './chaos.ts';
import { renderReport } from './report.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    workers: { type: 'string', default: '3' },
    jobs: { type: 'string', default: '200' },
    faults: { type: 'string' },
    log: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const jobs = Number(values.jobs);
const report = await runChaos({
  seed: Number(values.seed),
  workers: Number(values.workers),
  jobs,
  faults: Number(values.faults ?? Math.max(12, Math.ceil(jobs / 2))),
  logFile: values.log ?? null,
  say: (line) => console.error(line),
});
// The last line on standard output is the object, for programs; people read the lines above it.
(values.json ? console.error : console.log)(renderReport(report));
if (values.json) console.log(JSON.stringify(report));
process.exitCode = report.ok ? 0 : 1;
