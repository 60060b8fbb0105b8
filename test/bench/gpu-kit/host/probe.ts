/**
 * Runs the project's own one-node graph on the CUDA provider, twice, since the first time has the driver's start in it. Ends with 1 where
 * it does not run, with the reason and the libraries that are not found.
 *
 *     probe.ts
 */

import { inspectCudaLibraries } from '../../../../src/inference/cuda-libraries.ts';
import { type CudaProbe, probeCudaProvider } from '../../../../src/inference/providers.ts';
import { printLine } from './json-lines.ts';

const first = await probeCudaProvider(0);
const second = first.ok ? await probeCudaProvider(0) : null;
printLine({
  first: facts(first),
  second: second === null ? null : facts(second),
  libraries: await inspectCudaLibraries(),
});
process.exitCode = first.ok ? 0 : 1;

function facts(probe: CudaProbe): object {
  return probe.ok ? probe : { ok: false, reason: probe.failure.message, code: probe.failure.code };
}
