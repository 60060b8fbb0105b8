import { parseAnalysisFile } from '../../../src/evaluation/analysis-file.ts';
import { evaluate } from '../../../src/evaluation/evaluate.ts';
import { parseTruth } from '../../../src/evaluation/truth.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { escapeHtml } from '../../../src/report/escape.ts';
import { NO_IMAGES } from '../../../src/report/images.ts';
import { renderReport } from '../../../src/report/report.ts';
import { sampleAnalysis, sampleDetection, sampleEvent } from '../../harness/analysis-sample.ts';
import { must, resultOf, type Target } from '../engine/target.ts';

const MAX_TEXTS = 4_096;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
const TRUTH = parseTruth(
  '{"format":1,"video":{"width":1280,"height":720},"persons":[],"events":[],"frames":[]}',
  'none',
);

/** Texts that reach a page from outside: file names, labels, names of zones, sentences of a model. */
export const target: Target = {
  covers: [
    'report.ts',
    'escape.ts',
    'timeline.ts',
    'annotated-frame.ts',
    'palette.ts',
    'work-rows.ts',
    'analysis-file.ts',
  ],
  maxBytes: 1 << 15,
  form: 'text',
  words: [
    '<script>',
    '</title>',
    '</text></svg>',
    '<img src=x onerror=',
    '"',
    "'",
    '&lt;',
    '&amp;',
    '&#39;',
    '-->',
    '<!--',
    ']]>',
    'javascript:',
  ],
  allowance: { fixedMs: 60, msPerKib: 4 },
  check: (input) => {
    const text = input.toString();
    const escaped = escapeHtml(text);
    must(!/[<>"']/.test(escaped), 'a character that HTML knows is left');
    must(
      escaped.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? '') === text,
      'a text comes back as another',
    );
    const short = text.slice(0, MAX_TEXTS);
    const page = renderReport(analysisWith(short), NO_IMAGES, { title: short });
    // The tags of a page do not depend on the texts in it.
    must(tagsOf(page) === PLAIN_TAGS, 'a text makes a tag');
    const read = resultOf(() => parseAnalysisFile(JSON.stringify(analysisWith(short)), 'analysis.json'));
    must(!(read instanceof Failure), 'an analysis with that text cannot be read back');
    evaluate(read, TRUTH);
  },
};

function analysisWith(text: string): ReturnType<typeof sampleAnalysis> {
  const sample = sampleAnalysis();
  return {
    ...sample,
    video: { ...sample.video, codec: text, container: text },
    pack: { ...sample.pack, name: text, device: 'cpu' },
    // The same label everywhere, so that a page always has as many rows.
    frames: sample.frames.map((frame) => ({ ...frame, detections: [sampleDetection({ action: text, zone: text })] })),
    tracks: sample.tracks.map((track) => ({ ...track, mainAction: text })),
    events: [sampleEvent({ type: text, text, zone: text, keywords: [text] })],
    scenes: [{ t: 0, frameIndex: 0, text, source: 'local' }],
  };
}

function tagsOf(page: string): string {
  return (
    page
      .match(/<[^>]*>/g)
      ?.map((tag) => tag.replaceAll(/"[^"]*"/g, '""'))
      .join('') ?? ''
  );
}

const PLAIN_TAGS = tagsOf(renderReport(analysisWith('plain'), NO_IMAGES, { title: 'plain' }));
