import { parentPort, workerData } from 'node:worker_threads';
import { readInto } from '../tools/byte-sink.ts';
import { MemoryFiller } from './memory-filler.ts';
import type { LentMemory, ReadingMessage, ReadingOrder } from './thread-messages.ts';

readOn();

/** The thread that reads one stream of frames, from its start to its end. */
function readOn(): void {
  const port = parentPort;
  if (port === null) throw new Error('frames are read in a worker thread only');
  const order = workerData as ReadingOrder;
  const say = (message: ReadingMessage): void => port.postMessage(message);
  const filler = new MemoryFiller(order, (number) => say({ kind: 'frame', number }));
  const socket = readInto(order.path, filler);
  let isConnected = false;
  socket.once('connect', () => {
    isConnected = true;
    say({ kind: 'connected' });
  });
  // What breaks the connection later ends the reading, and that is seen.
  socket.on('error', ({ code = '', message }: NodeJS.ErrnoException) => {
    if (!isConnected) say({ kind: 'refused', errno: code, message });
  });
  socket.once('close', () => {
    say({ kind: 'closed' });
    // An open port is what keeps the thread alive.
    port.close();
  });
  port.on('message', (memory: LentMemory) => {
    filler.lend(memory);
    socket.resume();
  });
}
