import { benchBatches } from './batches.ts';
import { benchChain } from './chain.ts';
import { benchDecoding } from './decoding.ts';
import { benchFirstPoll } from './first-poll.ts';
import { benchGpu } from './gpu.ts';
import { benchHost } from './host.ts';
import { benchHostile } from './hostile.ts';
import { benchHostCeiling } from './host-ceiling.ts';
import { benchLoop } from './loop.ts';
import { benchLessWork } from './less-work.ts';
import { benchMemory } from './memory.ts';
import { benchPersistence } from './persistence.ts';
import { benchPipeline } from './pipeline.ts';
import { benchQueue } from './queue.ts';
import { benchReading } from './reading.ts';
import { benchSandbox } from './sandbox.ts';
import { benchScale } from './scale.ts';
import { benchStart } from './start.ts';
import { benchStoring } from './storing.ts';

const BENCHES: Readonly<Record<string, () => Promise<object>>> = {
  queue: benchQueue,
  chain: benchChain,
  'less-work': benchLessWork,
  memory: benchMemory,
  start: benchStart,
  decoding: benchDecoding,
  pipeline: benchPipeline,
  'first-poll': benchFirstPoll,
  gpu: benchGpu,
  host: benchHost,
  hostile: benchHostile,
  'host-ceiling': benchHostCeiling,
  batches: benchBatches,
  reading: benchReading,
  sandbox: benchSandbox,
  scale: benchScale,
  loop: benchLoop,
  persistence: () => benchPersistence(),
  storing: () => benchStoring({ large: process.argv.includes('--large') }),
};

const name = process.argv[2] ?? '';
const bench = BENCHES[name];
if (bench === undefined) {
  console.error(`usage: npm run bench -- <${Object.keys(BENCHES).join('|')}> [--json]`);
  process.exitCode = 1;
} else {
  try {
    const figures = await bench();
    console.log(process.argv.includes('--json') ? JSON.stringify(figures) : JSON.stringify(figures, null, 2));
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
}
