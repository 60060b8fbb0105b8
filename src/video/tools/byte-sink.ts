import { connect, type Socket } from 'node:net';

/** Where bytes go that are read: the kernel writes them there, and nothing copies them again. */
export interface ByteSink {
  /** Memory for the bytes that come next; never empty. */
  readonly room: () => Uint8Array;
  /** So many bytes came into the memory that was given last. False: nothing more is read until the socket is resumed. */
  readonly filled: (bytes: number) => boolean;
}

/** Connects to the socket at the path, and reads into the sink. */
export function readInto(path: string, sink: ByteSink): Socket {
  return connect({ path, onread: { buffer: sink.room, callback: sink.filled } });
}
