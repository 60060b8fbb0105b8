/** One room: what it is for, and what its files may import. Whatever is not named here is refused. */
export interface Room {
  /** Ends the sentence that a refused import gets. */
  readonly is: string;
  /** Rooms, or single files of a room: `chain/model-chain.ts` opens that file and not the room. */
  readonly imports: readonly string[];
  /** Packages from npm. Node's own modules are free, but for those in `GUARDED_MODULES`. */
  readonly packages?: readonly string[];
}

/** Ground floor: open to every room above it. `vision` and `failure` do without. */
export const GROUND: readonly string[] = ['text', 'failure', 'time', 'telemetry'];

/**
 * The rooms of src in order: a room imports only rooms that stand above it in this list, so that no two can need each other.
 * A path belongs to the longest name that it begins with: `queue/sqs` is a room inside `queue`, with a wall on both sides.
 */
export const ROOMS: Readonly<Record<string, Room>> = {
  text: { is: 'what makes a text from outside fit to be told stands on nothing', imports: [] },
  failure: { is: 'the family of failures stands on texts alone', imports: ['text'], packages: ['p-retry'] },
  time: { is: 'clocks stand on nothing', imports: [] },
  telemetry: {
    is: 'logs, metrics and health are told what happened and ask nobody',
    imports: ['text', 'failure'],
    packages: ['pino'],
  },
  // Its own Config travels no further than the composition root: other rooms are given the few values that they need.
  config: { is: 'the environment becomes one Config', imports: GROUND },
  'generated/kernel': { is: 'the pixel kernel is written by its compiler', imports: [] },
  vision: { is: 'arithmetic on boxes and pixels stands on its own compiled part alone', imports: ['generated/kernel'] },

  // Four adapters to the outside, which never import each other.
  queue: {
    is: 'the port, leases and message forms know no queue service and no work',
    imports: GROUND,
    packages: ['zod'],
  },
  'queue/sqs': {
    is: 'the SQS adapter knows the port alone',
    imports: [...GROUND, 'queue'],
    packages: ['@aws-sdk/client-sqs', '@smithy/node-http-handler', 'zod'],
  },
  storage: {
    is: 'S3 and the workspace know bytes, not videos',
    imports: GROUND,
    packages: ['@aws-sdk/client-s3'],
  },
  video: { is: 'ffmpeg and ffprobe, and nothing else', imports: GROUND, packages: ['zod'] },

  // A session knows tensors. What they mean is the pack's to say and the chain's to read.
  inference: { is: 'inference knows nothing about meaning', imports: GROUND, packages: ['onnxruntime-node'] },
  'graphs/onnx': {
    is: 'ONNX files are read and written without a runtime or a pack',
    imports: GROUND,
    packages: ['long', 'protobufjs'],
  },
  graphs: {
    is: 'what is done to graphs offline knows files and kernels, not packs',
    imports: [...GROUND, 'vision', 'graphs/onnx'],
  },
  // A pack is checked by its graphs, and opens its sessions.
  packs: {
    is: 'a pack is its manifest, its files, and whether the two agree',
    // Of the graphs it knows the names of their tensors: a pack may have been prepared by another version.
    imports: [...GROUND, 'inference', 'graphs/onnx', 'graphs/prepare/prepared-inputs.ts'],
    packages: ['zod'],
  },
  chain: {
    is: 'the chain reads models; it knows pixels, not files or findings',
    // The decoder's frame is what goes in; how it was decoded is none of the chain's business.
    // Of the graphs it knows the names of their tensors.
    imports: [...GROUND, 'vision', 'inference', 'packs', 'graphs/prepare/prepared-inputs.ts', 'video/frame.ts'],
    packages: ['@huggingface/tokenizers', 'sharp'],
  },
  // The action's graph holds what the chain's own code makes of the prompt, and is compared with what it answers.
  preparation: {
    is: 'what is done to a pack offline knows its models, not footage',
    imports: [...GROUND, 'vision', 'inference', 'graphs/onnx', 'graphs', 'packs', 'chain'],
  },
  // The contract of the chain alone, so that findings can be tested without a runtime.
  analysis: {
    is: 'analysis turns frames into findings; no AWS, no ONNX',
    imports: [
      ...GROUND,
      'vision',
      'video/footage.ts',
      'video/frame.ts',
      'video/video-info.ts',
      'chain/model-chain.ts',
      'chain/per-stage.ts',
    ],
    packages: ['zod'],
  },
  // It implements the port that analysis declares where it uses it, not the other way about.
  scene: {
    is: 'a writer of scene texts knows findings, not models',
    imports: [...GROUND, 'analysis'],
    packages: ['@aws-sdk/client-bedrock-runtime', '@smithy/node-http-handler'],
  },
  evaluation: {
    is: 'findings are held against a truth, wherever they come from',
    imports: [...GROUND, 'vision', 'analysis'],
    packages: ['zod'],
  },
  report: { is: 'a page about findings, wherever they come from', imports: [...GROUND, 'analysis'] },

  'generated/prisma': { is: "Prisma's client is written by Prisma", imports: [], packages: ['@prisma/client'] },
  'persistence/embedded': {
    is: 'the embedded database knows no tables',
    imports: GROUND,
    packages: ['@electric-sql/pglite'],
  },
  // The record that is stored is the one that analysis returns, and which of its fields a model fills is said there once; how it
  // came about is out of reach.
  persistence: {
    is: 'persistence stores findings and knows nothing that makes them',
    imports: [
      ...GROUND,
      'analysis/video-analysis.ts',
      'analysis/person-readings.ts',
      'generated/prisma',
      'persistence/embedded',
    ],
    packages: ['@prisma/adapter-pg', 'pg'],
  },

  worker: { is: 'the engine knows jobs, not videos, and the port, not SQS', imports: [...GROUND, 'queue'] },
  // The contract of a job is the engine's; the message says which video. Nothing else of either is in reach.
  job: {
    is: 'a job takes one video from message to rows, and knows neither queue nor engine',
    imports: [
      ...GROUND,
      'storage',
      'video',
      'chain/model-chain.ts',
      // Tells the stage of an error by who threw it.
      'chain/around-stages.ts',
      'analysis',
      'persistence',
      'queue/messages/job.ts',
      'worker/delivery.ts',
    ],
  },

  local: {
    is: 'emulators stand beside the product',
    imports: [...GROUND, 'persistence/embedded'],
    packages: ['fauxqs'],
  },
  // The composition root opens everything but the emulators, which a production install does not have.
  cli: {
    is: 'commands open the product, not its emulators or its generated code',
    imports: [
      ...GROUND,
      'config',
      'queue',
      'queue/sqs',
      'storage',
      'video',
      'inference',
      'packs',
      'preparation',
      'chain',
      'analysis',
      'scene',
      'evaluation',
      'report',
      'persistence',
      'worker',
      'job',
    ],
    packages: ['@aws-sdk/client-s3', '@aws-sdk/client-sqs', 'commander', 'sharp'],
  },
};

/** A folder of the project, and which others it may import. */
export interface Area {
  readonly is: string;
  readonly imports: readonly string[];
  /** Rooms of src that stay closed though src is open. */
  readonly closed?: readonly string[];
}

/** Folders beside src: what they may import of each other, and whether src is open to them. */
export const AREAS: Readonly<Record<string, Area>> = {
  src: { is: 'the product ships without what is beside it', imports: [] },
  models: {
    is: 'what makes packs knows the product, not those who use the packs',
    imports: ['src'],
    closed: ['local', 'cli'],
  },
  scripts: { is: 'what a person types needs no test', imports: ['src', 'models'] },
  test: { is: 'tests see everything', imports: ['src', 'models', 'scripts'] },
};

/** Modules of Node that reach around a wall, and the only files of src that may. */
export const GUARDED_MODULES: Readonly<Record<string, readonly string[]>> = {
  child_process: [
    'src/video/tools/child-process.ts',
    'src/video/tools/parting-guard.ts',
    'src/inference/cuda-libraries.ts',
    'src/telemetry/notify-channel.ts',
    'src/storage/folder-lock.ts',
    'src/cli/preflight/nvidia-smi.ts',
    'src/local/child-process.ts',
  ],
  // `createRequire` loads what no wall sees; here it looks for packages that may be absent.
  module: [
    'src/inference/cuda-libraries.ts',
    'src/video/tools/ffmpeg-binary.ts',
    'src/persistence/embedded/fresh-database.ts',
  ],
  // The global is under its own rule, which an imported one would slip.
  process: [],
  // A thread runs whatever file it is given the address of.
  worker_threads: [
    'src/inference/thread/serve-thread.ts',
    'src/inference/thread/thread-client.ts',
    'src/video/reading/frame-thread.ts',
    'src/video/reading/reading-thread.ts',
  ],
};

/** The only files of src that may put the address of a file together: what they start lies beside those who ask for it. */
export const ADDRESS_MAKERS: readonly string[] = [
  'src/inference/thread/thread-client.ts',
  'src/local/child-process.ts',
];

/** A property of a global, why it is guarded, and the files and folders of src that may use it. */
export interface GuardedProperty {
  readonly is: string;
  readonly open: readonly string[];
}

const SAY_PROCESS: GuardedProperty = { is: 'say process, which the linter watches', open: [] };
const SAY_THE_NAME: GuardedProperty = { is: 'a global is called by its name', open: [] };

/** What of Node's globals reaches around a wall. */
export const GUARDED_PROPERTIES: Readonly<Record<string, GuardedProperty>> = {
  'process.env': { is: 'only src/config reads the environment', open: ['src/config/', 'src/cli/no-telemetry.ts'] },
  'process.exit': {
    is: "only commands and the emulators' processes exit",
    open: ['src/cli/', 'src/local/child-process.ts'],
  },
  'process.getBuiltinModule': { is: 'a module is imported, where the linter sees it', open: [] },
  'globalThis.process': SAY_PROCESS,
  'global.process': SAY_PROCESS,
  'globalThis.global': SAY_THE_NAME,
  'globalThis.globalThis': SAY_THE_NAME,
  'global.global': SAY_THE_NAME,
  'global.globalThis': SAY_THE_NAME,
};
