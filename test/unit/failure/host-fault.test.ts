import { describe, expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { hostFaultOf, rethrowHostFault } from '../../../src/failure/host-fault.ts';

const ofSystem = (code: string, syscall = 'open'): Error =>
  Object.assign(new Error(`${code}: said by the system, ${syscall} '/pack/decoder.onnx'`), {
    code,
    syscall,
    path: '/pack/decoder.onnx',
  });

describe('the fault of a host', () => {
  test.each<readonly [string, unknown, string]>([
    ['a failure', new Failure('HOST_OUT_OF_MEMORY', 'no memory'), 'HOST_OUT_OF_MEMORY'],
    ['a failure of the GPU', new Failure('CUDA_OUT_OF_MEMORY', 'no memory'), 'CUDA_OUT_OF_MEMORY'],
    ['too many open files', ofSystem('EMFILE'), 'HOST_FAULT'],
    ['a disk that fails', ofSystem('EIO', 'read'), 'HOST_FAULT'],
    ['memory that the kernel does not give', ofSystem('ENOMEM', 'read'), 'HOST_OUT_OF_MEMORY'],
    ['memory that V8 does not get', new RangeError('Array buffer allocation failed'), 'HOST_OUT_OF_MEMORY'],
    [
      'one behind a failure that blames the file',
      new Failure('PACK_BROKEN', '/pack/decoder.onnx cannot be read', { cause: ofSystem('EMFILE') }),
      'HOST_FAULT',
    ],
  ])('%s', (_, error, code) => {
    expect(hostFaultOf(error)).toMatchObject({ code });
    expect(() => rethrowHostFault(error)).toThrow(expect.objectContaining({ code }));
  });

  test.each<readonly [string, unknown]>([
    ['a file that is not there', ofSystem('ENOENT')],
    ['a folder in the place of a file', ofSystem('EISDIR', 'read')],
    ['a file that may not be read', new Error('cannot be read', { cause: ofSystem('EACCES') })],
    ['a broken pack', new Failure('PACK_BROKEN', 'not an ONNX model', { cause: new Error('Protobuf parsing failed') })],
    ['a graph that does not run', new Failure('INFERENCE_FAILED', 'Non-zero status code')],
    ['a node with a name like that of a library', new Failure('CUDA_ERROR', 'Node cudaReader: dimensions differ')],
    ['a bug', new TypeError('x is not a function')],
    ['what is no error', 'no memory'],
  ])('%s is none', (_, error) => {
    expect(hostFaultOf(error)).toBeNull();
    expect(() => rethrowHostFault(error)).not.toThrow();
  });
});
