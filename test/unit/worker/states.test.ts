import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { NEXT_STATES, WORKER_STATES } from '../../../src/worker/states.ts';
import { createWorkerRig } from '../../harness/worker-rig.ts';

const ROOT = new URL('../../../', import.meta.url);

/** Arrows of the first state diagram in a text. */
async function drawn(file: string): Promise<string[]> {
  const text = await readFile(new URL(file, ROOT), 'utf8');
  const diagram = /stateDiagram-v2\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  return [...diagram.matchAll(/(\w+) --> (\w+)/g)].map(([, from, to]) => `${from} --> ${to}`).sort();
}

const written = WORKER_STATES.flatMap((from) => NEXT_STATES[from].map((to) => `${from} --> ${to}`)).sort();

test.each(['src/worker/worker.ts', 'docs/architecture.md'])(
  'the diagram in %s has the arrows of the code',
  async (file) => {
    expect(await drawn(file)).toEqual(written);
  },
);

test('a worker goes through its states as they are drawn, and a stopped one is never called back', async () => {
  await using rig = createWorkerRig();
  const { worker, events } = rig.worker(async () => ({ kind: 'ack', outcome: 'completed' }));
  const seen: string[] = [worker.state];
  events.on('worker:state', ({ state }) => seen.push(state));
  worker.start();
  worker.pause();
  worker.resume();
  await rig.clock.until(worker.drain('test', 0));
  worker.pause();
  worker.resume();
  await rig.clock.until(worker.giveBackAll(100));
  expect(seen).toEqual(['starting', 'polling', 'paused', 'polling', 'draining', 'stopped']);
  expect(() => worker.start()).toThrow('a worker that is stopped cannot be started');
});
