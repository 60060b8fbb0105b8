import { isIPv4, isIPv6 } from 'node:net';

/** Only programs of this host reach it: an address of the loopback interface, or the name that stands for it. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  if (name === 'localhost') return true;
  if (isIPv4(name)) return name.startsWith('127.');
  if (!isIPv6(name)) return false;
  return name === '::1' || /^::ffff:127\.\d+\.\d+\.\d+$/.test(name) || /^(0{1,4}:){7}0{0,3}1$/.test(name);
}
