import { execFile } from 'node:child_process';
import { environmentOfPrograms } from '../../config/environment.ts';

export interface Gpu {
  readonly name: string;
  readonly driver: string;
  readonly memoryTotalMib: number;
  readonly memoryFreeMib: number;
  /** Such as 8.6; null where the driver is too old to say. */
  readonly computeCapability: number | null;
}

export type GpuQuery =
  | { readonly ok: true; readonly gpus: readonly Gpu[] }
  | { readonly ok: false; readonly detail: string; readonly fix: string };

const FIELDS = 'name,driver_version,memory.total,memory.free,compute_cap';
const OLD_FIELDS = 'name,driver_version,memory.total,memory.free';
const NO_DRIVER = 'install the NVIDIA driver (580 or newer), or choose DEVICE=cpu';

/** Asks nvidia-smi for the GPUs of this host. Answers with a reason instead of throwing, unless the signal is aborted. */
export async function queryGpus(program: string, signal: AbortSignal): Promise<GpuQuery> {
  const answer = await runQuery(program, FIELDS, signal);
  if (!answer.ok && /not a valid field/i.test(answer.text)) {
    return readAnswer(await runQuery(program, OLD_FIELDS, signal));
  }
  return readAnswer(answer);
}

interface Answer {
  readonly ok: boolean;
  readonly text: string;
  readonly absent: boolean;
}

async function runQuery(program: string, fields: string, signal: AbortSignal): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const options = { signal, killSignal: 'SIGKILL', env: { ...environmentOfPrograms(), LC_ALL: 'C' } } as const;
    execFile(program, [`--query-gpu=${fields}`, '--format=csv,noheader,nounits'], options, (error, stdout, stderr) => {
      if (signal.aborted) reject(signal.reason as Error);
      else if (error === null) resolve({ ok: true, text: stdout, absent: false });
      // nvidia-smi explains itself on standard output.
      else resolve({ ok: false, text: `${stdout}${stderr}`.trim() || error.message, absent: error.code === 'ENOENT' });
    });
  });
}

function readAnswer(answer: Answer): GpuQuery {
  if (answer.absent) {
    return { ok: false, detail: 'nvidia-smi is not found: no NVIDIA driver on this host', fix: NO_DRIVER };
  }
  if (answer.ok) {
    const gpus = parseGpus(answer.text);
    if (gpus === null) {
      return { ok: false, detail: `nvidia-smi said something unknown: ${firstLine(answer.text)}`, fix: NO_DRIVER };
    }
    if (gpus.length > 0) return { ok: true, gpus };
  }
  return {
    ok: false,
    detail: `nvidia-smi: ${firstLine(answer.text) || 'no devices were found'}`,
    fix: fixOf(answer.text),
  };
}

function fixOf(text: string): string {
  if (/version mismatch/i.test(text)) {
    return 'the driver was updated while its old kernel module is loaded: reboot the host';
  }
  if (/couldn't communicate|could not communicate/i.test(text)) {
    return 'the driver is installed but its kernel module is not loaded: reboot, or rebuild the module for the running kernel';
  }
  if (/no devices were found/i.test(text)) {
    return 'no GPU is visible: check the instance type and what the container may see';
  }
  return NO_DRIVER;
}

/** Reads the CSV of the query, with or without compute capability; null when it is not that. Memory not told is 0. */
export function parseGpus(csv: string): readonly Gpu[] | null {
  const lines = csv
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 1 && /no devices were found/i.test(lines[0] ?? '')) return [];
  const gpus: Gpu[] = [];
  for (const line of lines) {
    const [name, driver, total, free, capability] = line.split(',').map((cell) => cell.trim());
    if (!name || !driver || !/^\d+\./.test(driver) || total === undefined || free === undefined) return null;
    gpus.push({
      name,
      driver,
      memoryTotalMib: numberOr(total, 0),
      memoryFreeMib: numberOr(free, 0),
      computeCapability: numberOr(capability, null),
    });
  }
  return gpus;
}

/** Cells can be `[N/A]` or `[Not Supported]`. */
function numberOr<T>(cell: string | undefined, otherwise: T): number | T {
  return cell !== undefined && /^\d+(\.\d+)?$/.test(cell) ? Number(cell) : otherwise;
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.slice(0, 300) ?? '';
}
