import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Keeps at most so many connections of the server: each one beyond closes the one that has been without a request for the longest. So a
 * crowd that connects and says nothing costs as many descriptors as are set aside for it and no more, and a probe, which asks as soon as
 * it is connected, is answered all the same.
 */
export function capConnections(server: Server, most: number): void {
  /** The longest without a request first. */
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (open.size <= most) return;
    const [longest] = open;
    if (longest === undefined) return;
    // Not at its `close`, which comes later than the next connection.
    open.delete(longest);
    longest.destroy();
  });
  server.on('request', ({ socket }: IncomingMessage) => {
    if (open.delete(socket)) open.add(socket);
  });
}
