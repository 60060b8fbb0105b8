import type { FailureCode } from '../codes.ts';
import { textField } from '../fields.ts';
import { adviceForErrno, errnoOf, meaningOfFileCode } from './errno.ts';

/** Of connections. */
const OF_CONNECTIONS: ReadonlyMap<string, FailureCode> = new Map([
  ['ECONNREFUSED', 'NETWORK'],
  ['ECONNRESET', 'NETWORK'],
  ['ECONNABORTED', 'NETWORK'],
  ['EPIPE', 'NETWORK'],
  ['EHOSTUNREACH', 'NETWORK'],
  ['EHOSTDOWN', 'NETWORK'],
  ['ENETUNREACH', 'NETWORK'],
  ['ENETDOWN', 'NETWORK'],
  ['ENETRESET', 'NETWORK'],
  ['ENOTCONN', 'NETWORK'],
  ['EADDRNOTAVAIL', 'NETWORK'],
  ['ENOTFOUND', 'NETWORK'],
  ['EAI_AGAIN', 'NETWORK'],
  ['ERR_STREAM_PREMATURE_CLOSE', 'NETWORK'],
  ['UND_ERR_SOCKET', 'NETWORK'],
  ['ETIMEDOUT', 'TIMEOUT'],
  ['ESOCKETTIMEDOUT', 'TIMEOUT'],
  ['UND_ERR_CONNECT_TIMEOUT', 'TIMEOUT'],
]);

/** What a socket may lack of this host. A firewall may answer EACCES or EPERM instead of the other side: that is the network. */
const OF_HOST_BY_SOCKET: ReadonlyMap<string, FailureCode> = new Map([
  ['EMFILE', 'HOST_FAULT'],
  ['ENFILE', 'HOST_FAULT'],
  ['ENOMEM', 'HOST_OUT_OF_MEMORY'],
  ['ENOBUFS', 'HOST_OUT_OF_MEMORY'],
  ['EACCES', 'NETWORK'],
  ['EPERM', 'NETWORK'],
]);

const OF_NODE: ReadonlyMap<string, FailureCode> = new Map([
  ['CERT_HAS_EXPIRED', 'CERTIFICATE'],
  ['CERT_NOT_YET_VALID', 'CERTIFICATE'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'CERTIFICATE'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'CERTIFICATE'],
  ['HOSTNAME_MISMATCH', 'CERTIFICATE'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'CERTIFICATE'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'CERTIFICATE'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERTIFICATE'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERTIFICATE'],
  ['ERR_WORKER_OUT_OF_MEMORY', 'HOST_OUT_OF_MEMORY'],
  ['ERR_MEMORY_ALLOCATION_FAILED', 'HOST_OUT_OF_MEMORY'],
]);

/** Calls that are made on sockets alone. `read` and `write` are not: files have them too. */
const OF_SOCKETS = /^(?:connect|bind|listen|accept|shutdown|send\w*|recv\w*|getaddrinfo|query\w+|getpeername)\b/;

export interface NodeSign {
  readonly code: FailureCode;
  /** The name of the error, of Node or of the system. */
  readonly external: string;
  /** What to do, to stand behind the reason; empty where nothing is known. */
  readonly advice: string;
}

/**
 * What an error of Node, or of the operating system below it, means; null for one that says nothing of a failure. The same name is
 * said of connections, where it means the network or the other side, and of files, where it means this host: the call tells them apart.
 */
export function signOfNodeError(error: object): NodeSign | null {
  const external = errnoOf(error);
  const code = OF_NODE.get(external) ?? meaningOfErrno(error, external) ?? meaningOfText(error);
  if (code === null) return null;
  return { code, external, advice: isConnectionSign(code) ? '' : adviceForErrno(external) };
}

function isConnectionSign(code: FailureCode): boolean {
  return code === 'NETWORK' || code === 'TIMEOUT';
}

/** Whether a code says that the other side could not be reached, or did not answer in time. */
export function isConnectionCode(code: string): boolean {
  return OF_CONNECTIONS.has(code);
}

/** Whether a code says that the certificate of the other side cannot be trusted. */
export function isCertificateCode(code: string): boolean {
  return OF_NODE.get(code) === 'CERTIFICATE';
}

function meaningOfErrno(error: object, name: string): FailureCode | null {
  const ofFiles = meaningOfFileCode(name);
  const ofConnections = OF_CONNECTIONS.get(name) ?? null;
  const call = textField(error, 'syscall') ?? '';
  if (OF_SOCKETS.test(call)) return ofConnections ?? OF_HOST_BY_SOCKET.get(name) ?? null;
  if (textField(error, 'path') !== null && !call.startsWith('spawn')) {
    // Once a job has begun nothing of it may vanish: it says nothing of the video, and most often happens once.
    if (name === 'ENOENT') return 'UNKNOWN';
    // A file system of the network has its own ways not to answer.
    if (ofConnections !== null) return 'HOST_FAULT';
  }
  // Without a call it may be a mere word: what a host alone says is still about the host.
  return ofConnections ?? ofFiles;
}

/** V8 has no code for memory that it did not get: for an array, or for a module of WebAssembly. */
const NO_MEMORY = /allocation failed|^WebAssembly\.\S+: .*memory/i;

function meaningOfText(error: object): FailureCode | null {
  return error instanceof RangeError && NO_MEMORY.test(textField(error, 'message') ?? '') ? 'HOST_OUT_OF_MEMORY' : null;
}
