import { sep } from 'node:path';
import { Failure } from '../../../src/failure/failure.ts';
import { packFiles, packModels } from '../../../src/packs/load-pack.ts';
import { manifestProblems } from '../../../src/packs/manifest-rules.ts';
import { packManifestSchema } from '../../../src/packs/pack-manifest.ts';
import { packOf } from '../../../src/packs/pack-of.ts';
import { must, resultOf, type Target } from '../engine/target.ts';

const ROOT = '/packs/one';

/** The manifest of a model pack that was made elsewhere. */
export const target: Target = {
  covers: ['pack-manifest.ts', 'manifest-rules.ts', 'load-pack.ts', 'pack-of.ts'],
  maxBytes: 1 << 18,
  form: 'json',
  words: [
    '../',
    '/etc/passwd',
    '..',
    '.',
    'detr',
    'yolov8',
    'person',
    'face',
    'batch',
    '<image>',
    '{question}',
    'a'.repeat(64),
  ],
  allowance: { fixedMs: 60, msPerKib: 2 },
  check: (input) => {
    let json: unknown;
    try {
      json = JSON.parse(input.toString());
    } catch {
      return;
    }
    const { data: manifest } = packManifestSchema.safeParse(json);
    if (manifest === undefined) return;
    for (const problem of manifestProblems(manifest)) must(problem.field !== '', 'a problem names no field');
    must(packModels(manifest).length >= 6, 'a stage of a whole pack has no model');
    const pack = packOf({ dir: ROOT, manifest, fingerprint: '', filesRoot: ROOT });
    for (const file of packFiles(manifest)) {
      const path = resultOf(() => pack.filePath(file));
      if (path instanceof Failure) must(path.code === 'PACK_BROKEN', `a path is refused with ${path.code}`);
      else must(path.startsWith(ROOT + sep) && !path.includes('/../'), 'a file outside the folder of the pack is read');
    }
  },
};
