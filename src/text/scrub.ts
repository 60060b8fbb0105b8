import { assignedSecrets } from './assigned-secrets.ts';
import { read, type Reading } from './reading.ts';
import { secretForms } from './secret-forms.ts';
import { merged, type Span } from './span.ts';
import { urlSecrets } from './url-secrets.ts';

const MASK = '***';

/**
 * The text with every secret in it masked, however it is written: assigned or in JSON, in XML, as a header, in a URL or a connection
 * string, known by its form alone, and escaped once or twice over. What else the text says stays as it is. Takes time in proportion to
 * the length, whatever the text: no rule reads what it has read again.
 */
export function scrub(text: string): string {
  const reading = read(text);
  const spans = merged([...assignedSecrets(reading), ...urlSecrets(reading), ...secretForms(reading)]);
  return spans.length === 0 ? text : masked(text, spans, reading);
}

function masked(text: string, spans: readonly Span[], reading: Reading): string {
  const parts: string[] = [];
  let from = 0;
  for (const { start, end } of spans) {
    parts.push(text.slice(from, reading.offsetOf(start)), MASK);
    from = reading.offsetOf(end);
  }
  parts.push(text.slice(from));
  return parts.join('');
}
