import { preparedLines, preparePack } from '../../preparation/prepare-pack.ts';
import { modelsReportLines, verifyModels } from '../../preparation/verify-models.ts';
import { EXIT_CODES } from '../../worker/exit-codes.ts';
import { commandConfig } from '../command-config.ts';
import { queryGpus } from '../preflight/nvidia-smi.ts';

const CALL_MS = 60_000;

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
  process.stdout.write(`${modelsReportLines(found).join('\n')}\n`);
  if (!found.ok) process.exitCode = EXIT_CODES.PREFLIGHT;
}

/** `models prepare`: tells what it wrote. */
export async function prepare(raw: string, options: { readonly out: string }): Promise<void> {
  const prepared = await preparePack(raw, options.out);
  process.stdout.write(`${preparedLines(prepared).join('\n')}\n`);
}
