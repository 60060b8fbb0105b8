import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Lockfile, runtimePackages } from '../../../scripts/bundle/runtime-packages.ts';

interface PackageJson {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

const project = JSON.parse(readFileSync('package.json', 'utf8')) as PackageJson;
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lockfile;

/** Packages that are loaded together with the file: types are gone by then, and `import()` happens when it is asked for. */
function packagesLoadedBy(source: string): string[] {
  const imports = source.matchAll(/^(?:import|export) (?!type )(?:[^;'"]*? from )?['"]([^'"]+)['"]/gm);
  const specifiers = [...imports].map((match) => match[1] ?? '');
  return specifiers
    .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
    .map((specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'));
}

function loadedBySource(): string[] {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  return [...new Set(files.flatMap((path) => packagesLoadedBy(readFileSync(join('src', path), 'utf8'))))].sort();
}

describe('dependencies', () => {
  test('are the packages that the source loads, no more and no fewer', () => {
    expect(loadedBySource()).toEqual(Object.keys(project.dependencies).sort());
  });

  /**
   * npm keeps a development package where a package that runs names it as an optional peer, as @prisma/client names `prisma`
   * and `typescript`: hence the other names of the two in package.json.
   */
  test('bring what runs and nothing else into an install without development packages', () => {
    const roots = [...Object.keys(project.dependencies), ...Object.keys(project.optionalDependencies)];
    const kept = Object.entries(lock.packages).filter(([folder, entry]) => folder !== '' && entry.dev !== true);
    expect(kept.map(([folder]) => folder).sort()).toEqual(runtimePackages(lock, roots, () => true));
  });

  test.each([
    ['the environment', '@aws-sdk/credential-provider-env'],
    ['a profile', '@aws-sdk/credential-provider-ini'],
    ["a container's role", '@aws-sdk/credential-provider-http'],
    ["an instance's role", '@smithy/credential-provider-imds'],
    ['a token in a file', '@aws-sdk/credential-provider-web-identity'],
    ['the token service, which takes it', '@aws-sdk/nested-clients'],
  ])('bring credentials from %s into such an install', (_, name) => {
    expect(runtimePackages(lock, Object.keys(project.dependencies), () => true)).toContain(`node_modules/${name}`);
    expect(lock.packages[`node_modules/${name}`]?.dev ?? false).toBe(false);
  });
});

test('loaded packages are read from every form of import', () => {
  const source = `import './local.ts';
import zod from 'zod';
import { type A, b } from '@aws-sdk/client-s3';
import protobuf from 'protobufjs/light.js';
import type Long from 'long';
import type {
  Never,
} from 'never';
import {
  c,
} from 'pg';
import 'side-effect';
import { readFile } from 'node:fs/promises';
export { d } from "quoted";
const late = await import('late');
`;
  expect(packagesLoadedBy(source).sort()).toEqual([
    '@aws-sdk/client-s3',
    'pg',
    'protobufjs',
    'quoted',
    'side-effect',
    'zod',
  ]);
});
