import { describe, expect, test } from '@jest/globals';
import { type Lockfile, runtimePackages } from '../../../scripts/bundle/runtime-packages.ts';

const lock: Lockfile = {
  packages: {
    '': {},
    'node_modules/client': { dependencies: { wire: '1' }, peerDependencies: { tool: '1', runtime: '1' } },
    'node_modules/client/node_modules/wire': { dependencies: { deep: '1' } },
    'node_modules/wire': {},
    'node_modules/deep': { optionalDependencies: { native: '1', foreign: '1' } },
    'node_modules/native': {},
    'node_modules/foreign': {},
    'node_modules/runtime': {},
    'node_modules/tool': { dependencies: { heavy: '1' } },
    'node_modules/heavy': {},
    'node_modules/lonely': { dependencies: { absent: '1' } },
  },
};
const withOptionalPeer: Lockfile = {
  packages: {
    ...lock.packages,
    'node_modules/client': {
      ...lock.packages['node_modules/client'],
      peerDependenciesMeta: { tool: { optional: true } },
    },
  },
};
const here = (folder: string): boolean => folder !== 'node_modules/foreign';

describe('packages that run', () => {
  test('the nested version wins over the outer one, and an optional package of another platform is left out', () => {
    expect(runtimePackages(withOptionalPeer, ['client'], here)).toEqual([
      'node_modules/client',
      'node_modules/client/node_modules/wire',
      'node_modules/deep',
      'node_modules/native',
      'node_modules/runtime',
    ]);
  });

  test('a peer that is not optional comes with what it needs', () => {
    expect(runtimePackages(lock, ['client'], here)).toEqual(
      expect.arrayContaining(['node_modules/tool', 'node_modules/heavy']),
    );
  });

  test('a package that is needed and absent is named with what needs it', () => {
    expect(() => runtimePackages(lock, ['lonely'], here)).toThrow(/absent, needed by node_modules\/lonely/);
    expect(() => runtimePackages(lock, ['client'], () => false)).toThrow(/client, needed by the bundle/);
  });
});
