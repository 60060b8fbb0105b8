import { subscribe } from 'node:diagnostics_channel';
import { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  descendantsOf,
  describeProcess,
  isRunning,
  processesOf,
  processFacts,
  sendSignal,
  type ProcessFacts,
} from './processes.ts';

/** A process that should be gone. */
export interface LeftProcess extends ProcessFacts {
  /** Somebody here has started it, and with it its group; otherwise it only has to do with the folder. */
  readonly isOurs: boolean;
}

/** What a process had before a test file ran in it. */
export interface Before {
  /** Processes that were started so far, here or anywhere below. */
  readonly started: number;
  readonly pids: ReadonlySet<number>;
  readonly servers: ReadonlySet<Server>;
}

const GRACE_MS = 3_000;
const LOOK_MS = 50;
const KILL_ROUNDS = 3;

/** Said of a process that runs on. */
export const NOT_KILLED = ' (and could not be killed)';

let started = 0;
subscribe('child_process', () => (started += 1));

/** What is here now and is nobody's to end. */
export async function takeStock(): Promise<Before> {
  return { started, pids: new Set((await descendantsOf()).map(({ pid }) => pid)), servers: new Set(listening()) };
}

/**
 * Closes the servers and kills the processes that were not there before, whoever started them, and says what they were: see
 * `leftOf` for the processes; those that are just ending get a moment.
 */
export async function endLeftBehind(before: Before, folder: string): Promise<string[]> {
  const said: string[] = [];
  for (const server of listening().filter((one) => !before.servers.has(one))) {
    said.push(`a server that listens on ${JSON.stringify(server.address())}`);
    closeServer(server);
  }
  // Looking at every process of the machine takes its time: who started none has left none.
  if (started === before.started) return said;
  const look = async (): Promise<LeftProcess[]> => (await leftOf(folder)).filter(({ pid }) => !before.pids.has(pid));
  const left = await lookPatiently(look);
  if (left.length === 0) return said;
  const stays = new Set((await killFound(look)).map(({ pid }) => pid));
  said.push(...left.map((one) => `the process ${describeProcess(one)}${stays.has(one.pid) ? NOT_KILLED : ''}`));
  return said;
}

/**
 * What runs and descends from this process or comes from a folder, by its environment. What only works in the folder, or was told of
 * it, counts as well, but not where it has a terminal: that is a person's editor or shell.
 */
export async function leftOf(folder: string): Promise<LeftProcess[]> {
  const descendants = await descendantsOf();
  // After them: who loses its parent meanwhile is seen here.
  const related = await processesOf(folder);
  const found = new Map<number, LeftProcess>();
  for (const { comesFromIt, ...facts } of related) {
    if (comesFromIt || !facts.hasTerminal) found.set(facts.pid, { ...facts, isOurs: comesFromIt });
  }
  for (const facts of descendants) found.set(facts.pid, { ...facts, isOurs: true });
  return [...found.values()].filter(({ isZombie }) => !isZombie);
}

/**
 * What is there still when all that is just ending has had a moment for it. Nothing is believed only when seen twice: a process that
 * has lost its parent and is just starting its program shows neither descent nor environment.
 */
export async function lookPatiently(look: () => Promise<LeftProcess[]>): Promise<LeftProcess[]> {
  const end = performance.now() + GRACE_MS;
  for (let empty = 0; ;) {
    const left = await look();
    empty = left.length === 0 ? empty + 1 : 0;
    if (empty === 2 || (left.length > 0 && performance.now() > end)) return left;
    await sleep(LOOK_MS);
  }
}

/** Kills what is found, and looks again: what was about to be killed may have started others. Answers with what runs on. */
export async function killFound(look: () => Promise<LeftProcess[]>): Promise<LeftProcess[]> {
  const stays = new Map<number, LeftProcess>();
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    const found = (await look()).filter(({ pid }) => !stays.has(pid));
    if (found.length === 0) break;
    for (const one of await killAll(found)) stays.set(one.pid, one);
  }
  return [...stays.values()];
}

/**
 * Kills processes, those that are ours with their whole group unless that is our own, and waits until they are gone. Answers with
 * those that are not.
 */
export async function killAll(processes: readonly LeftProcess[]): Promise<LeftProcess[]> {
  const own = (await processFacts(process.pid))?.group;
  const refused = new Set<number>();
  for (const { pid, group, isOurs } of processes) {
    if (isOurs && group !== own && group > 1) sendSignal(-group, 'SIGKILL');
    if (sendSignal(pid, 'SIGKILL') === 'refused') refused.add(pid);
  }
  const end = performance.now() + GRACE_MS;
  const stays: LeftProcess[] = [];
  for (const one of processes) {
    const isDying = (): boolean => !refused.has(one.pid) && performance.now() < end;
    while ((await isRunning(one.pid)) && isDying()) await sleep(LOOK_MS);
    if (await isRunning(one.pid)) stays.push(one);
  }
  return stays;
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
