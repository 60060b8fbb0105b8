import { preparedLines, preparePack } from '../../preparation/prepare-pack.ts';
import { modelsReportLines, verifyModels } from '../../preparation/verify-models.ts';
import { EXIT_CODES } from '../../worker/exit-codes.ts';
import { commandConfig } from '../command-config.ts';
import { queryGpus } from '../preflight/nvidia-smi.ts';
import { say } from '../terminal.ts';

const CALL_MS = 60_000;
/** SIGHUP is the terminal's end. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** `models verify`: what is wrong with the pack is told by the exit code, too. */
export async function verify(options: { readonly pack?: string; readonly device: string }): Promise<void> {
  const config = commandConfig(['models'], { given: { MODEL_PACK: options.pack, DEVICE: options.device } });
  const device = config.inference.device === 'cuda' ? 'cuda' : 'cpu';
  // Where a GPU is, it has to work; where none is, the table of kernels still tells.
  const gpus = device === 'cuda' ? await queryGpus('nvidia-smi', AbortSignal.timeout(CALL_MS)) : null;
  const gpu = gpus !== null && gpus.ok && gpus.gpus.length > 0;
  const found = await verifyModels(config.inference.modelPack, {
    device,
    deviceId: config.inference.gpuDeviceId,
    gpu,
  });
  say(...modelsReportLines(found));
  if (!found.ok) process.exitCode = EXIT_CODES.PREFLIGHT;
}

/** `models prepare`: tells what it wrote; stopped, it leaves nothing. */
export async function prepare(raw: string, options: { readonly out: string }): Promise<void> {
  using stop = watchStop();
  const prepared = await preparePack(raw, options.out, stop.signal);
  say(...preparedLines(prepared));
}

/**
 * Aborted by whatever stops the command, which then ends as if nobody had listened. A model that is loaded or run blocks this thread, and
 * so the signals, for up to some ten seconds: with them over, nothing more is waited for.
 */
function watchStop(): Disposable & { readonly signal: AbortSignal } {
  const stop = new AbortController();
  const unwatch = (): void => {
    for (const name of STOP_SIGNALS) process.off(name, onSignal);
  };
  const onSignal = (name: NodeJS.Signals): void => {
    stop.abort(new Error(`stopped by ${name}`));
    unwatch();
    process.kill(process.pid, name);
  };
  for (const name of STOP_SIGNALS) process.on(name, onSignal);
  return { signal: stop.signal, [Symbol.dispose]: unwatch };
}
