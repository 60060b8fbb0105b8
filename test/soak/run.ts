import { parseArgs } from 'node:util';
import { runSoak } from './soak.ts';

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '2000' },
    real: { type: 'boolean', default: false },
    leak: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const report = await runSoak({ jobs: Number(values.jobs), real: values.real, leak: values.leak });
const say = values.json ? console.error : console.log;
for (const [tenth, { memory, sockets }] of report.readings.entries()) {
  const mib = Object.entries(memory).map(([name, bytes]) => `${name} ${(bytes / 1024 ** 2).toFixed(1)} MiB`);
  say(`tenth ${tenth + 1}: ${mib.join(', ')}, sockets ${sockets}`);
}
say(`${report.completed} of ${report.jobs} jobs in ${report.seconds} s, ${report.deadLettered} dead-lettered`);
for (const problem of report.problems) say(`PROBLEM ${problem}`);
if (values.json) console.log(JSON.stringify(report));
process.exitCode = report.ok ? 0 : 1;
