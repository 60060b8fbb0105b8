import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Keeps at most so many connections of the server. Each one beyond closes another of the address that has the most: the one that has been
 * without a request for the longest. So a crowd that connects and says nothing costs as many descriptors as are set aside for it and no
 * more, a probe that asks as soon as it is connected is answered all the same, and whoever comes from elsewhere is not touched. Refusing
 * those that come last would leave the port to whoever was first. `onClosed` hears of each that is closed.
 */
export function capConnections(server: Server, most: number, onClosed: () => void): void {
  /** With their addresses, which a closed socket does not tell any more; the longest without a request first. */
  const open = new Map<Socket, string>();
  server.on('connection', (socket: Socket) => {
    open.set(socket, socket.remoteAddress ?? '');
    socket.once('close', () => open.delete(socket));
    if (open.size <= most) return;
    const closed = longestOfCrowd(open);
    // Not at its `close`, which comes later than the next connection.
    open.delete(closed);
    closed.destroy();
    onClosed();
  });
  server.on('request', ({ socket }: IncomingMessage) => {
    const address = open.get(socket);
    if (address === undefined) return;
    open.delete(socket);
    open.set(socket, address);
  });
}

function longestOfCrowd(open: ReadonlyMap<Socket, string>): Socket {
  const counts = new Map<string, number>();
  for (const address of open.values()) counts.set(address, (counts.get(address) ?? 0) + 1);
  const largest = Math.max(...counts.values());
  const [crowd] = [...counts].find(([, count]) => count === largest) ?? [];
  const [socket] = [...open].find(([, address]) => address === crowd) ?? [];
  if (socket === undefined) throw new RangeError('no connection is open');
  return socket;
}
