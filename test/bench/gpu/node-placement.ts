import { spawn } from 'node:child_process';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { type ExecutionTarget, sessionOptions } from '../../../src/inference/providers.ts';

export interface Placement {
  /** Nodes per execution provider, after ONNX Runtime's own optimisation. */
  readonly nodes: Readonly<Record<string, number>>;
  /** Nodes on the CPU of a session that was opened for CUDA, as `operator (name)`. */
  readonly onCpu: readonly string[];
}

const LIMIT_MS = 600_000;
const CPU = 'CPUExecutionProvider';

/**
 * Where ONNX Runtime puts the nodes of a graph. It says so only in its most detailed log, which it writes to the standard error of
 * the process that opens the graph: a child opens it and its log is read.
 */
export async function placementOf(graph: string, target: ExecutionTarget): Promise<Placement> {
  const dir = await mkdtemp(join(tmpdir(), 'placement-'));
  try {
    // A file: Node makes a pipe non-blocking, and the log that does not fit it at once is lost.
    const log = join(dir, 'log');
    await openLogged(graph, target, log);
    const placement = parsePlacement(await readFile(log, 'utf8'));
    if (Object.keys(placement.nodes).length > 0) return placement;
    throw new Error(`ONNX Runtime's log of ${graph} names no execution provider: its wording has changed`);
  } finally {
    await rm(dir, { recursive: true });
  }
}

async function openLogged(graph: string, target: ExecutionTarget, log: string): Promise<void> {
  const file = await open(log, 'w');
  try {
    const child = spawn(process.execPath, [import.meta.filename, graph, JSON.stringify(target)], {
      stdio: ['ignore', 'ignore', file.fd],
      timeout: LIMIT_MS,
    });
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    if (code !== 0) throw new Error(`${graph} could not be opened: ${(await readFile(log, 'utf8')).slice(-2_000)}`);
  } finally {
    await file.close();
  }
}

/** Reads `session_state.cc`'s "Node placements" from the log. */
export function parsePlacement(log: string): Placement {
  const nodes: Record<string, number> = {};
  const onCpu: string[] = [];
  let provider: string | null = null;
  for (const line of stripVTControlCharacters(log).split('\n')) {
    const heading = /(All nodes|Node\(s\)) placed on \[(\w+)\]\. Number of nodes: (\d+)/.exec(line);
    const node = /VerifyEachNodeIsAssignedToAnEp\S*\s+(\w+ \(.*\))\s*$/.exec(line);
    if (heading !== null) {
      provider = heading[2] ?? '';
      nodes[provider] = (nodes[provider] ?? 0) + Number(heading[3]);
      if (heading[1] === 'All nodes') provider = null;
    } else if (node !== null && provider === CPU) {
      onCpu.push(node[1] ?? '');
    }
  }
  return { nodes, onCpu: Object.keys(nodes).length > 1 ? onCpu : [] };
}

if (import.meta.main) {
  const { InferenceSession } = await import('onnxruntime-node');
  const [graph = '', target = '{}'] = process.argv.slice(2);
  const options = sessionOptions(JSON.parse(target) as ExecutionTarget);
  const session = await InferenceSession.create(graph, { ...options, logSeverityLevel: 0, logVerbosityLevel: 0 });
  await session.release();
}
