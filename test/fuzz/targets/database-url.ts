import { loadConfig } from '../../../src/config/config.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { connectionUrl } from '../../../src/persistence/connection-url.ts';
import { must, resultOf, type Target } from '../engine/target.ts';

const SECRET = 'pl4nted-s3cret';

/** A database URL with a password in it, right or mistyped: the first line stands before user and password, the second behind. */
export const target: Target = {
  covers: ['src/config/forms.ts', 'src/config/config.ts', 'src/persistence/connection-url.ts'],
  maxBytes: 1 << 14,
  form: 'text',
  words: [
    'postgres://',
    'postgresql://',
    'jdbc:postgresql://',
    'pglite:',
    '\n@localhost:5432/video',
    '?sslmode=require',
    'statement_timeout=',
    'lock_timeout=',
    'idle_in_transaction_session_timeout=',
    '&',
    '%40',
    '%2F',
    'user:',
    '@',
  ],
  check: (input) => {
    const [before = '', after = ''] = input.toString().split('\n', 2);
    const url = `${before}user:${SECRET}${after}`;
    const config = resultOf(() => loadConfig({ DATABASE_URL: url }, { needs: ['database'] }));
    if (config instanceof Failure) {
      must(config.code === 'CONFIG_INVALID', `a database URL is refused with ${config.code}`);
      must(!after.includes('@') || !config.message.includes(SECRET), 'a refusal tells the password');
      return;
    }
    const opened = resultOf(() => connectionUrl(url));
    if (opened instanceof Failure) {
      must(opened.code === 'CONFIG_INVALID', `a database URL is refused with ${opened.code}`);
      must(!opened.message.includes(SECRET), 'a refusal tells the password');
      return;
    }
    const limits = Object.values(opened.limits).filter((ms) => ms !== null);
    must(
      limits.every((ms) => ms > 0 && Number.isInteger(ms)),
      `limits of ${limits.join(' and ')} ms`,
    );
    const again = connectionUrl(opened.href);
    must(again.href === opened.href, 'what was taken out of a URL is still there');
    must(
      Object.values(again.limits).every((ms) => ms === null),
      'a limit is set twice',
    );
  },
};
