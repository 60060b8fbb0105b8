/**
 * Sets the detector's threshold in the manifests of packs with random weights, so that about as many anchors of the benchmark's frame pass
 * it as with a trained detector. Otherwise thousands may, and the detector's time would be that of the suppression.
 *
 *     calibrate.ts cuda|cpu PACK... [--candidates 60]        the first pack's detector is asked, its threshold goes into all
 */

import { parseArgs } from 'node:util';
import { CANDIDATES, calibrateThreshold } from '../../gpu/candidates.ts';
import { loadPack } from '../../../../src/packs/load-pack.ts';
import { countsArgument, deviceArgument, requireArguments } from './command-arguments.ts';
import { printLine } from './json-lines.ts';

const { values, positionals } = parseArgs({
  options: { candidates: { type: 'string', default: String(CANDIDATES) } },
  allowPositionals: true,
});
requireArguments(positionals, 2, 'calibrate.ts cuda|cpu PACK... [--candidates 60]');
const [wanted = CANDIDATES] = countsArgument(values.candidates);
const [deviceText, ...dirs] = positionals;
const device = deviceArgument(deviceText);
const pack = await loadPack(dirs[0] ?? '');
printLine(await calibrateThreshold(pack, { device }, { dirs, wanted }));
