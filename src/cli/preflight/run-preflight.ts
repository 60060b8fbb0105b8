import type { Config } from '../../config/config.ts';
import { cudaModels, decoderThreads, mostPipelines } from '../execution-plan.ts';
import { usableCores } from '../usable-cores.ts';
import { type AllocatorDeps, allocatorCheck } from './allocator.ts';
import { type Check, type CheckResult, runCheck } from './check.ts';
import { sandboxCheck, type SandboxDeps } from './decoder-sandbox.ts';
import { type DescriptorDeps, descriptorsCheck, type DescriptorSettings } from './descriptors.ts';
import { checkDecoder, type DecoderDeps, type DecoderSettings } from './decoder.ts';
import { checkGpu, type GpuDeps, type GpuSettings } from './gpu.ts';
import { healthPortChecks } from './health-port.ts';
import { hostChecks, type HostDeps } from './host-checks.ts';
import { type NotificationDeps, ownImagesCheck } from './own-images.ts';
import { type PictureDeps, picturesCheck } from './pictures.ts';
import { type SecretDeps, secretFileChecks } from './secret-files.ts';
import { bucketCheck, databaseCheck, packCheck, queueCheck, type ServiceDeps } from './service-checks.ts';

export type PreflightDeps = HostDeps &
  AllocatorDeps &
  DescriptorDeps &
  SecretDeps &
  GpuDeps &
  DecoderDeps &
  SandboxDeps &
  ServiceDeps &
  NotificationDeps &
  PictureDeps;

export interface PreflightReport {
  /** No check failed; warnings are allowed. */
  readonly ok: boolean;
  /** Where the models are to run: what DEVICE asks for, or what `auto` found. */
  readonly device: 'cuda' | 'cpu';
  /** CUDA's number of the GPU that is to decode; null: the processor. */
  readonly decoderGpu: number | null;
  readonly checks: readonly CheckResult[];
}

/** Runs every check that the configuration calls for, side by side, each with its timeout; never throws. */
export async function runPreflight(config: Config, deps: PreflightDeps, signal: AbortSignal): Promise<PreflightReport> {
  const models = checkGpu(gpuSettings(config), deps, signal);
  const [host, descriptors, gpu, decoder, services] = await Promise.all([
    runAll(
      [
        ...hostChecks(deps, hostSettings(config)),
        sandboxCheck(deps),
        ...secretFileChecks(deps),
        ...healthPortChecks(config.health),
        ...pictureChecks(config, deps),
        allocatorCheck(deps),
      ],
      signal,
    ),
    models.then(({ device }) => runCheck(descriptorsCheck(deps, descriptorSettings(config, device)), signal)),
    models,
    // How many threads a decoder has depends on what runs beside it.
    models.then((found) => checkDecoder(decoderSettings(config, found.device), deps, signal)),
    runAll(
      serviceChecks(
        config,
        deps,
        models.then((found) => found.device),
      ),
      signal,
    ),
  ]);
  return reportOf({ device: gpu.device, decoderGpu: decoder.gpu }, [
    ...host,
    descriptors,
    decoder.check,
    ...gpu.checks,
    ...services,
  ]);
}

/** Runs those checks of services again that did not pass and may; all others stand as they were found. Never throws. */
export async function repeatPreflight(
  before: PreflightReport,
  config: Config,
  deps: PreflightDeps,
  signal: AbortSignal,
): Promise<PreflightReport> {
  const open = new Set(before.checks.filter((check) => check.mayPass).map((check) => check.name));
  const again = await runAll(
    serviceChecks(config, deps, Promise.resolve(before.device)).filter((check) => open.has(check.name)),
    signal,
  );
  const found = new Map(again.map((check) => [check.name, check]));
  return reportOf(
    before,
    before.checks.map((check) => found.get(check.name) ?? check),
  );
}

function reportOf(
  { device, decoderGpu }: Pick<PreflightReport, 'device' | 'decoderGpu'>,
  checks: readonly CheckResult[],
): PreflightReport {
  return { ok: checks.every((check) => check.status !== 'fail'), device, decoderGpu, checks };
}

async function runAll(checks: readonly Check[], signal: AbortSignal): Promise<readonly CheckResult[]> {
  return await Promise.all(checks.map((check) => runCheck(check, signal)));
}

/** Nothing else of the worker draws. */
function pictureChecks({ scene, analysis }: Config, deps: PictureDeps): readonly Check[] {
  return scene.source === 'bedrock' || analysis.highlightActions.length > 0 ? [picturesCheck(deps)] : [];
}

function hostSettings(config: Config): Parameters<typeof hostChecks>[1] {
  const { workDir, concurrency } = config.worker;
  return { workDir, concurrency, maxObjectBytes: config.limits.maxObjectBytes };
}

function gpuSettings(config: Config): GpuSettings {
  const { device, gpuDeviceId } = config.inference;
  const models = { ...cudaModels(config), hasLocalScenes: config.scene.source === 'local' };
  return { wanted: device, deviceId: gpuDeviceId, models };
}

function decoderSettings(config: Config, models: 'cpu' | 'cuda'): DecoderSettings {
  const { device, mode } = config.decode;
  return {
    device,
    mode,
    gpu: config.inference.gpuDeviceId,
    threads: decoderThreads(config, { models, cores: usableCores(), videosAtOnce: config.worker.concurrency }),
  };
}

function descriptorSettings(config: Config, device: 'cpu' | 'cuda'): DescriptorSettings {
  return {
    device,
    pipelines: mostPipelines(config, device, usableCores()),
    videos: config.worker.concurrency,
    databaseConnections: config.database.poolSize,
    hasHealthPort: config.health.port !== 0,
  };
}

function serviceChecks(config: Config, deps: PreflightDeps, models: Promise<'cuda' | 'cpu'>): readonly Check[] {
  const { queue, database, inference, analysis } = config;
  const checks: Check[] = [];
  if (inference.modelPack !== null) checks.push(packCheck(inference.modelPack, deps, models));
  if (database.url !== null) checks.push(databaseCheck(database.migrateOnStart, deps));
  for (const [name, url] of [
    ['queue', queue.url],
    ['queue (high)', queue.urlHigh],
    ['queue (low)', queue.urlLow],
  ] as const) {
    if (url !== null) checks.push(queueCheck(name, url, queue.visibilityTimeoutSeconds, deps));
  }
  if (analysis.highlightsBucket !== null && analysis.highlightActions.length > 0) {
    checks.push(bucketCheck(analysis.highlightsBucket, deps));
    const queueUrls = [queue.url, queue.urlHigh, queue.urlLow].filter((url) => url !== null);
    if (queueUrls.length > 0) checks.push(ownImagesCheck(analysis.highlightsBucket, queueUrls, deps));
  }
  return checks;
}
