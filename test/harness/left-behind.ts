import { subscribe } from 'node:diagnostics_channel';
import { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  descendantsOf,
  describeProcess,
  isRunning,
  processesOf,
  processFacts,
  type ProcessFacts,
} from './processes.ts';

/** What a process had before a test file ran in it. */
export interface Before {
  /** Processes that were started so far, here or anywhere below. */
  readonly started: number;
  readonly pids: ReadonlySet<number>;
  readonly servers: ReadonlySet<Server>;
}

const GRACE_MS = 3_000;
const LOOK_MS = 50;

let started = 0;
subscribe('child_process', () => (started += 1));

/** What is here now and is nobody's to end. */
export async function takeStock(): Promise<Before> {
  return { started, pids: new Set((await descendantsOf()).map(({ pid }) => pid)), servers: new Set(listening()) };
}

/**
 * Closes the servers and kills the processes that were not there before, whoever started them, and says what they were. A process
 * counts when it descends from this one or has to do with `folder`; those that are just ending get a moment.
 */
export async function endLeftBehind(before: Before, folder: string): Promise<string[]> {
  const said: string[] = [];
  for (const server of listening().filter((one) => !before.servers.has(one))) {
    said.push(`a server that listens on ${JSON.stringify(server.address())}`);
    closeServer(server);
  }
  // Looking at every process of the machine takes its time: who started none has left none.
  if (started === before.started) return said;
  const isNew = ({ pid, isZombie }: ProcessFacts): boolean => !isZombie && !before.pids.has(pid);
  const end = performance.now() + GRACE_MS;
  let left: ProcessFacts[];
  for (;;) {
    const seen = [...(await descendantsOf()), ...(await processesOf(folder))].filter(isNew);
    left = [...new Map(seen.map((facts) => [facts.pid, facts])).values()];
    if (left.length === 0 || performance.now() > end) break;
    await sleep(LOOK_MS);
  }
  said.push(...left.map((facts) => `the process ${describeProcess(facts)}`));
  await killAll(left);
  return said;
}

/** Kills processes, each with its whole group unless that is our own, and waits until they are gone. */
export async function killAll(processes: readonly ProcessFacts[]): Promise<void> {
  const own = (await processFacts(process.pid))?.group;
  for (const { pid, group } of processes) {
    if (group !== own && group > 1) kill(-group);
    kill(pid);
  }
  const end = performance.now() + GRACE_MS;
  for (const { pid } of processes) while ((await isRunning(pid)) && performance.now() < end) await sleep(LOOK_MS);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function listening(): Server[] {
  return activeHandles().filter((handle) => handle instanceof Server && handle.listening) as Server[];
}

/** There is no public way to the objects; their kinds alone would not let us close what was left open. */
function activeHandles(): unknown[] {
  return (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles();
}

function closeServer(server: Server): void {
  server.close();
  if ('closeAllConnections' in server) (server as Server & { closeAllConnections(): void }).closeAllConnections();
}
