import { integer, integerOrAuto, oneOf, oneOfNumbersOrAuto } from '../forms.ts';
import { optional, withDefault } from '../key.ts';
import { FOLDER } from './shared-forms.ts';

/** Of one video: what `FRAMES_IN_FLIGHT` takes. */
export const MOST_FRAMES_IN_FLIGHT = 64;

export const INFERENCE_KEYS = {
  modelPack: optional('MODEL_PACK', FOLDER, {
    neededBy: ['models'],
    description: 'folder of the model pack',
    example: 'models/demo',
  }),
  device: withDefault('DEVICE', oneOf('cuda', 'cpu', 'auto'), 'cuda', {
    description: 'where models run; auto takes the CPU where no GPU is, and says so',
  }),
  gpuDeviceId: withDefault('GPU_DEVICE_ID', integer('number', 0, 63), '0', { description: 'CUDA device number' }),
  pipelines: withDefault('PIPELINES', integerOrAuto('pipelines', 1, 64), 'auto', {
    description:
      'sets of model threads, each with models of its own; auto is one on CUDA, and on the CPU one for two cores, at most 8, as far as the memory goes',
  }),
  cpuThreads: withDefault('CPU_THREADS', integerOrAuto('threads', 0, 512), 'auto', {
    description:
      'threads of one operator on the CPU; 0 is every core, auto is one, and more only where cores are left over',
  }),
  detectionBatch: withDefault('DETECTION_BATCH_SIZE', oneOfNumbersOrAuto('frames', 1, 2, 4, 8, 16), 'auto', {
    description: 'most frames in a run of detection; auto is 1 on the CPU and 8 on CUDA',
  }),
  peopleBatch: withDefault('PEOPLE_BATCH_SIZE', oneOfNumbersOrAuto('people', 1, 2, 4, 8, 16, 32, 64), 'auto', {
    description: 'most people in a run of age and gender, or of orientation; auto is 1 on the CPU and 64 on CUDA',
  }),
  languageBatch: withDefault('LANGUAGE_BATCH_SIZE', oneOfNumbersOrAuto('people', 1, 2, 4, 8, 16), 'auto', {
    description: 'most people in a run of the action model; auto is 1 on the CPU and 8 on CUDA',
  }),
  framesInFlight: withDefault('FRAMES_IN_FLIGHT', integerOrAuto('frames', 1, MOST_FRAMES_IN_FLIGHT), 'auto', {
    description:
      'frames of one video between decoding and result, each with its pixels in memory; auto is 4 and more where several pipelines wait for them, on CUDA 32 for each pipeline, shared by the videos at once, as far as a quarter of the memory holds them',
  }),
} as const;
