import { queryGpus } from './preflight/nvidia-smi.ts';
import { complain } from './terminal.ts';

/** `auto` is decided here, aloud: a run on the CPU that was meant for the GPU must not go unnoticed. */
export async function chooseDevice(asked: 'cuda' | 'cpu' | 'auto', signal: AbortSignal): Promise<'cuda' | 'cpu'> {
  if (asked !== 'auto') return asked;
  const answer = await queryGpus('nvidia-smi', signal);
  const found = answer.ok && answer.gpus.length > 0;
  if (!found) complain('no NVIDIA GPU was found: the models run on the CPU');
  return found ? 'cuda' : 'cpu';
}
