import { runSteps, renderResults } from './run-steps.ts';
import { quickSteps, stepsOfWhatChanged } from './steps.ts';

// Ended from outside, as at the next change while watching: nothing that was started goes on.
const ended = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ended.abort());

const start = performance.now();
const results = await runSteps(process.argv.includes('--changed') ? stepsOfWhatChanged() : quickSteps(), ended.signal);
if (!ended.signal.aborted) {
  process.stdout.write(renderResults(results));
  console.log(`${((performance.now() - start) / 1_000).toFixed(1)} s in all`);
}
process.exitCode = results.some(({ code }) => code !== 0) ? 1 : 0;
