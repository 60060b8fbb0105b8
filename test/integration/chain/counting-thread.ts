import { workerData } from 'node:worker_threads';
import { InferenceSession } from 'onnxruntime-node';
import { type CountingOptions, SESSION_COUNTS } from './session-counts.ts';

// A model thread that counts its sessions. They run on the CPU, whatever the thread believes in.

const { entry, counts } = workerData as CountingOptions;
const [opened, released] = SESSION_COUNTS.map((name) => SESSION_COUNTS.indexOf(name)) as [number, number];
const create = InferenceSession.create.bind(InferenceSession) as (
  path: string,
  options: InferenceSession.SessionOptions,
) => Promise<InferenceSession>;

InferenceSession.create = (async (path: string) => {
  const session = await create(path, { intraOpNumThreads: 1 });
  Atomics.add(counts, opened, 1);
  const release = session.release.bind(session);
  session.release = async () => {
    await release();
    Atomics.add(counts, released, 1);
  };
  return session;
}) as typeof InferenceSession.create;

await import(`../../../src/chain/${entry}.ts`);
