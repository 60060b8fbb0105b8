import { expect, test } from '@jest/globals';
import { toFailure } from '../../../../src/failure/classify.ts';
import { signOfNodeError } from '../../../../src/failure/sources/node.ts';
import { classifyS3Error } from '../../../../src/storage/s3-failure.ts';

const REF = { bucket: 'b', key: 'k' };

/** As Node makes them: a call on a path, on an open file or on a socket. */
const onPath = (code: string, syscall: string): Error =>
  Object.assign(new Error(`${code}: no, ${syscall} '/work/video'`), { code, syscall, path: '/work/video' });
const onFile = (code: string, syscall: string): Error =>
  Object.assign(new Error(`${code}: no, ${syscall}`), { code, syscall });
const onSocket = (code: string, syscall = 'connect'): Error =>
  Object.assign(new Error(`${syscall} ${code} 10.0.0.1:443`), { code, syscall, address: '10.0.0.1', port: 443 });
const unnamed = (errno: number): Error =>
  Object.assign(new Error(`Unknown system error ${errno}, write`), {
    code: `Unknown system error ${errno}`,
    errno,
    syscall: 'write',
  });

/** What WebAssembly says where its memory cannot grow. */
function refusedGrowth(): unknown {
  interface Growing {
    readonly WebAssembly: { readonly Memory: new (pages: object) => { readonly grow: (pages: number) => void } };
  }
  const { WebAssembly } = globalThis as unknown as Growing;
  try {
    new WebAssembly.Memory({ initial: 1, maximum: 1 }).grow(1);
  } catch (error) {
    return error;
  }
  throw new Error('it has grown');
}

const OF_DISK = 'EROFS EACCES EPERM EIO EMFILE ENFILE ENOTDIR EISDIR ELOOP ENODEV ENXIO';
const OF_MOUNT = 'EBUSY ESTALE EUCLEAN ENOTCONN EBADF EFBIG EEXIST ENAMETOOLONG EREMOTEIO ETIMEDOUT EOVERFLOW';

test.each(`${OF_DISK} ${OF_MOUNT}`.split(' '))('%s on a path of this host is the fault of the host', (code) => {
  for (const syscall of ['open', 'mkdir', 'mkdtemp', 'stat', 'unlink', 'rename', 'statfs']) {
    const failure = toFailure(onPath(code, syscall));
    expect(failure).toMatchObject({ code: 'HOST_FAULT', class: 'system', details: { external: code } });
    expect(failure.message).toContain('/work/video');
  }
});

test.each(['EROFS', 'EACCES', 'EIO', 'EBADF', 'EFBIG', 'EMFILE'])(
  '%s of an open file is the fault of the host, also in the middle of a download',
  (code) => {
    for (const error of [onFile(code, 'write'), onPath(code, 'open')]) {
      expect(toFailure(new Error('outer', { cause: error })).code).toBe('HOST_FAULT');
      expect(classifyS3Error(error, REF).code).toBe('HOST_FAULT');
    }
  },
);

test.each<[string, unknown, string]>([
  ['a full disk', onPath('ENOSPC', 'open'), 'DISK_FULL'],
  ['a quota, which has no name in Node', unnamed(-122), 'DISK_FULL'],
  ['a damaged file system, which has no name in Node', unnamed(-117), 'HOST_FAULT'],
  ['a stale handle, which has no name in Node', unnamed(-116), 'HOST_FAULT'],
  ['no memory for a program', onFile('ENOMEM', 'spawn ffmpeg'), 'HOST_OUT_OF_MEMORY'],
  ['no process for a program', onFile('EAGAIN', 'spawn ffmpeg'), 'HOST_FAULT'],
  ['no memory for an array', new RangeError('Array buffer allocation failed'), 'HOST_OUT_OF_MEMORY'],
  ['no memory for a module', refusedGrowth(), 'HOST_OUT_OF_MEMORY'],
  ['no descriptor for a connection', onSocket('EMFILE'), 'HOST_FAULT'],
  ['no descriptor for a lookup', onSocket('EMFILE', 'getaddrinfo'), 'HOST_FAULT'],
  ['a firewall that answers', onSocket('EPERM'), 'NETWORK'],
  ['a firewall that answers otherwise', onSocket('EACCES'), 'NETWORK'],
  ['a reset', onFile('ECONNRESET', 'read'), 'NETWORK'],
  ['a broken pipe', onFile('EPIPE', 'write'), 'NETWORK'],
  ['a socket that is not connected any more', onFile('ENOTCONN', 'shutdown'), 'NETWORK'],
  ['a slow other side', onSocket('ETIMEDOUT'), 'TIMEOUT'],
  ['a name without addresses', onSocket('ENODATA', 'queryA'), 'UNKNOWN'],
  // It is temporary, and casts doubt on the host when it happens to one job after another.
  ['a file that somebody removed', onPath('ENOENT', 'open'), 'UNKNOWN'],
])('%s is told by the call', (_what, error, code) => {
  expect(toFailure(error).code).toBe(code);
});

test('what is the matter with the host says what can be done', () => {
  expect(signOfNodeError(onPath('EROFS', 'open'))?.advice).toMatch(/read-only/);
  expect(toFailure(onPath('EMFILE', 'open')).message).toMatch(/LimitNOFILE/);
  expect(toFailure(onPath('ENOENT', 'open')).message).toMatch(/cleaners/);
  expect(signOfNodeError(onSocket('ECONNREFUSED'))?.advice).toBe('');
  expect(signOfNodeError(new Error('x'))).toBeNull();
});
