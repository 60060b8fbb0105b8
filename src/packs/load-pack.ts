import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { Failure } from '../failure/failure.ts';
import { rethrowHostFault } from '../failure/host-fault.ts';
import { packManifestSchema, PREPARED_STAGES } from './pack-manifest.ts';
import type { ModelSpec, PackFile, PackManifest } from './pack-manifest.ts';
import { packOf } from './pack-of.ts';

/** What is known of a pack whose manifest was read: plain data, which a thread can be handed. */
export interface ReadPack {
  /** Absolute folder of the manifest. */
  readonly dir: string;
  readonly manifest: PackManifest;
  /** Hex sha256 of the manifest, which holds the sha256 of every file. */
  readonly fingerprint: string;
  /** Absolute folder of the files. */
  readonly filesRoot: string;
}

/** A model pack whose manifest was read; its files are not looked at before `verifyPack`. */
export interface Pack extends ReadPack {
  /** Absolute path of one of the pack's files; throws PACK_BROKEN for one that leaves their folder. */
  readonly filePath: (file: PackFile) => string;
}

/**
 * Reads `manifest.json` of the folder; `filesRoot` overrides the place of the files that the manifest names.
 * Throws PACK_BROKEN with every field that is wrong.
 */
export async function loadPack(dir: string, options: { readonly filesRoot?: string } = {}): Promise<Pack> {
  const root = resolve(dir);
  const path = join(root, 'manifest.json');
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    rethrowHostFault(cause);
    throw new Failure('PACK_BROKEN', `${path} cannot be read; a model pack is a folder with a manifest.json`, {
      cause,
    });
  }
  const manifest = parseManifest(path, bytes.toString('utf8'));
  const filesRoot = resolve(root, options.filesRoot ?? manifest.filesRoot);
  return packOf({ dir: root, manifest, fingerprint: createHash('sha256').update(bytes).digest('hex'), filesRoot });
}

function parseManifest(path: string, text: string): PackManifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Failure('PACK_BROKEN', `${path} is not JSON`, { cause });
  }
  const parsed = packManifestSchema.safeParse(json);
  if (!parsed.success) {
    throw new Failure('PACK_BROKEN', `${path} is not a pack manifest of format 1:\n${z.prettifyError(parsed.error)}`, {
      cause: parsed.error,
    });
  }
  return parsed.data;
}

export interface NamedModel {
  /** Place in the manifest, such as `language.decoder`. */
  readonly field: string;
  readonly spec: ModelSpec;
}

/** Every graph of the pack with its place in the manifest. */
export function packModels(manifest: PackManifest): readonly NamedModel[] {
  return [
    ...Object.entries(manifest).flatMap(([part, value]) =>
      isPartWithModel(value) ? [{ field: `${part}.model`, spec: value.model }] : [],
    ),
    { field: 'language.visionEncoder', spec: manifest.language.visionEncoder },
    { field: 'language.embedTokens', spec: manifest.language.embedTokens },
    { field: 'language.decoder', spec: manifest.language.decoder },
    ...PREPARED_STAGES.flatMap((stage) => {
      const spec = manifest.prepared?.[stage];
      return spec === undefined ? [] : [{ field: `prepared.${stage}`, spec }];
    }),
  ];
}

function isPartWithModel(part: PackManifest[keyof PackManifest]): part is { readonly model: ModelSpec } & typeof part {
  return typeof part === 'object' && part !== null && 'model' in part;
}

/** Every file of the pack, once: a prepared graph shares external weights with the official one. */
export function packFiles(manifest: PackManifest): readonly PackFile[] {
  const graphs = packModels(manifest).flatMap(({ spec }) => [spec.file, ...(spec.externalData ?? [])]);
  const all = [...graphs, manifest.language.tokenizer, manifest.language.tokenizerConfig];
  return all.filter((file, index) => all.findIndex((other) => sameFile(file, other)) === index);
}

function sameFile(a: PackFile, b: PackFile): boolean {
  return a.path === b.path && a.sha256 === b.sha256 && a.bytes === b.bytes;
}
