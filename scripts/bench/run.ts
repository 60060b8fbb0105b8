import { benchFirstPoll } from './first-poll.ts';
import { benchPersistence } from './persistence.ts';
import { benchPipeline } from './pipeline.ts';
import { benchQueue } from './queue.ts';

const BENCHES: Readonly<Record<string, () => Promise<object>>> = {
  queue: benchQueue,
  pipeline: benchPipeline,
  'first-poll': benchFirstPoll,
  persistence: () => benchPersistence(),
};

const name = process.argv[2] ?? '';
const bench = BENCHES[name];
if (bench === undefined) {
  console.error(`usage: npm run bench -- <${Object.keys(BENCHES).join('|')}> [--json]`);
  process.exitCode = 1;
} else {
  const figures = await bench();
  console.log(process.argv.includes('--json') ? JSON.stringify(figures) : JSON.stringify(figures, null, 2));
}
