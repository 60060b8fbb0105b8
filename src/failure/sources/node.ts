import type { FailureCode } from '../codes.ts';

/** Codes of Node and of the operating system below it. */
const BY_CODE: ReadonlyMap<string, FailureCode> = new Map([
  ['ECONNREFUSED', 'NETWORK'],
  ['ECONNRESET', 'NETWORK'],
  ['ECONNABORTED', 'NETWORK'],
  ['EPIPE', 'NETWORK'],
  ['EHOSTUNREACH', 'NETWORK'],
  ['ENETUNREACH', 'NETWORK'],
  ['ENETDOWN', 'NETWORK'],
  ['ENOTFOUND', 'NETWORK'],
  ['EAI_AGAIN', 'NETWORK'],
  ['ERR_STREAM_PREMATURE_CLOSE', 'NETWORK'],
  ['UND_ERR_SOCKET', 'NETWORK'],
  ['ETIMEDOUT', 'TIMEOUT'],
  ['ESOCKETTIMEDOUT', 'TIMEOUT'],
  ['UND_ERR_CONNECT_TIMEOUT', 'TIMEOUT'],
  ['ENOSPC', 'DISK_FULL'],
  ['EDQUOT', 'DISK_FULL'],
  ['ENOMEM', 'HOST_OUT_OF_MEMORY'],
  ['ERR_WORKER_OUT_OF_MEMORY', 'HOST_OUT_OF_MEMORY'],
  ['ERR_MEMORY_ALLOCATION_FAILED', 'HOST_OUT_OF_MEMORY'],
]);

/** What the code of an error of Node means; null for a code that says nothing of a failure. */
export function meaningOfNodeCode(code: string): FailureCode | null {
  return BY_CODE.get(code) ?? null;
}

/** Whether a code says that the other side could not be reached, or did not answer in time. */
export function isConnectionCode(code: string): boolean {
  const meaning = BY_CODE.get(code);
  return meaning === 'NETWORK' || meaning === 'TIMEOUT';
}
