import { hostOrAddress, integer, token } from '../forms.ts';
import { optional, withDefault } from '../key.ts';

export const HEALTH_KEYS = {
  port: withDefault('HEALTH_PORT', integer('port', 0, 65_535), '0', {
    description: 'port of the health endpoints; 0 is off',
  }),
  host: withDefault('HEALTH_HOST', hostOrAddress(), '127.0.0.1', {
    description:
      'address that they listen on; another one than of the loopback, such as 0.0.0.0 or ::, needs HEALTH_TOKEN',
  }),
  token: optional('HEALTH_TOKEN', token(), {
    isSecret: true,
    usedBy: ['health'],
    description: 'whoever asks for more than a bare ok has to say it, as `Authorization: Bearer TOKEN`',
  }),
} as const;
