/** Codes that stand where a startup message has its protocol version. */
export const SSL_REQUEST = 80_877_103;
export const GSS_REQUEST = 80_877_104;
export const CANCEL_REQUEST = 80_877_102;

/** A frontend message with its header; `type` is null for the untyped messages that open a connection. */
export interface FrontendMessage {
  readonly type: string | null;
  /** Protocol version or request code of an untyped message. */
  readonly code: number | null;
  readonly bytes: Buffer;
}

/** Largest message that is read: what PostgreSQL itself allows is 1 GB, which no client of ours comes near. */
const MAX_MESSAGE_BYTES = 256 * 1024 * 1024;

/** Cuts a byte stream into messages of PostgreSQL's frontend protocol, version 3. Throws on a length that cannot be. */
export class FrontendMessageReader {
  #pending: Buffer = Buffer.alloc(0);
  #started = false;

  /** The messages that are complete with this chunk, in order. */
  push(chunk: Buffer): FrontendMessage[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const messages: FrontendMessage[] = [];
    for (let message = this.#next(); message !== null; message = this.#next()) messages.push(message);
    return messages;
  }

  #next(): FrontendMessage | null {
    const header = this.#started ? 1 : 0;
    if (this.#pending.length < header + (this.#started ? 4 : 8)) return null;
    const length = this.#pending.readInt32BE(header) + header;
    if (length < header + 4 || length > MAX_MESSAGE_BYTES) throw new Error(`message length ${length} is not possible`);
    if (this.#pending.length < length) return null;
    const bytes = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    if (this.#started) return { type: String.fromCharCode(bytes.readUInt8(0)), code: null, bytes };
    const code = bytes.readInt32BE(4);
    // After a refused encryption request the client starts over with another untyped message.
    this.#started = code !== SSL_REQUEST && code !== GSS_REQUEST;
    return { type: null, code, bytes };
  }
}

function backendMessage(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(type, 'latin1');
  header.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

/** The answer to a startup message of a server that asks for no password: authenticated, parameters, ready. */
export function startupAnswer(serverVersion: string, connectionId: number): Buffer {
  const parameters: readonly (readonly [string, string])[] = [
    ['server_version', serverVersion],
    ['server_encoding', 'UTF8'],
    ['client_encoding', 'UTF8'],
    ['DateStyle', 'ISO, MDY'],
    ['TimeZone', 'UTC'],
    ['integer_datetimes', 'on'],
    ['standard_conforming_strings', 'on'],
  ];
  const key = Buffer.alloc(8);
  key.writeInt32BE(connectionId, 0);
  return Buffer.concat([
    backendMessage('R', Buffer.alloc(4)),
    ...parameters.map(([name, value]) => backendMessage('S', Buffer.from(`${name}\0${value}\0`))),
    backendMessage('K', key),
    backendMessage('Z', Buffer.from('I')),
  ]);
}

/** An ErrorResponse that ends the connection. */
export function fatalError(sqlState: string, text: string): Buffer {
  return backendMessage('E', Buffer.from(`SFATAL\0VFATAL\0C${sqlState}\0M${text}\0\0`));
}

/**
 * The transaction status at the end of an answer: idle, in a transaction, in a failed one; null where the server is
 * not ready for the next query yet.
 */
export function transactionStatus(answer: Uint8Array): 'I' | 'T' | 'E' | null {
  const tail = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength).subarray(-6);
  if (tail.length < 6 || tail.readUInt8(0) !== 0x5a || tail.readInt32BE(1) !== 5) return null;
  const status = String.fromCharCode(tail.readUInt8(5));
  return status === 'I' || status === 'T' || status === 'E' ? status : null;
}
