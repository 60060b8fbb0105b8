import { cacheNames } from '../graphs/prepare/prepared-inputs.ts';
import type { ModelSpec, PackManifest, TensorSpec } from './pack-manifest.ts';
import type { PackProblem } from './pack-problem.ts';

type Axis = number | string | undefined;

/**
 * What the parts of a manifest say about each other: sizes, classes and constants against the tensors that the same
 * manifest states. Each rule would otherwise show as a run that fails, or as a result that is wrong without a word.
 */
export function manifestProblems(manifest: PackManifest): readonly PackProblem[] {
  return [
    ...detectionRules(manifest),
    ...ageGenderRules(manifest),
    ...orientationRules(manifest),
    ...languageRules(manifest),
    ...preparedActionRules(manifest),
  ];
}

function detectionRules({ detection }: PackManifest): readonly PackProblem[] {
  const picture = pictureInput('detection.model', detection.model);
  if (detection.adapter === 'detr') return [...picture, ...deviation('detection.std', detection.std)];
  const { classes, model } = detection;
  return [
    ...picture,
    ...expect('detection.classes', classes.includes('person'), 'person among them', classes.join(', ')),
    ...expect('detection.classes', new Set(classes).size === classes.length, 'each class once', classes.join(', ')),
    ...fits('detection.model.outputs.0.shape.1', axis(model.outputs[0], 1), 4 + classes.length),
  ];
}

function ageGenderRules({ ageGender }: PackManifest): readonly PackProblem[] {
  const { model, std, minAge, maxAge } = ageGender;
  const [height, width] = [axis(model.inputs[0], 2), axis(model.inputs[0], 3)];
  const names = model.inputs.map(({ name }) => name).join(', ');
  return [
    ...expect('ageGender.model.inputs', model.inputs.length === 1, 'one pair of pictures', names),
    ...floats('ageGender.model.inputs.0', model.inputs[0]),
    ...fits('ageGender.model.inputs.0.shape.1', axis(model.inputs[0], 1), 6),
    ...expect(
      'ageGender.model.inputs.0.shape',
      typeof height === 'number' && height === width,
      'a fixed height equal to the width',
      `${height} and ${width}`,
    ),
    ...fits('ageGender.model.outputs.0.shape.1', axis(model.outputs[0], 1), 3),
    ...expect('ageGender.maxAge', maxAge > minAge, `more than minAge (${minAge})`, String(maxAge)),
    ...deviation('ageGender.std', std),
  ];
}

function orientationRules({ orientation }: PackManifest): readonly PackProblem[] {
  const { model, bins, std } = orientation;
  return [
    ...pictureInput('orientation.model', model),
    ...fits('orientation.model.outputs.0.shape.1', axis(model.outputs[0], 1), bins),
    ...deviation('orientation.std', std),
  ];
}

function languageRules({ language, action }: PackManifest): readonly PackProblem[] {
  const { visionEncoder, decoder, kv, imageSize, imageTokens, template } = language;
  const images = template.split('<image>').length - 1;
  return [
    ...pictureInput('language.visionEncoder', visionEncoder),
    ...fits('language.visionEncoder.inputs.0.shape.2', axis(visionEncoder.inputs[0], 2), imageSize),
    ...fits('language.visionEncoder.inputs.0.shape.3', axis(visionEncoder.inputs[0], 3), imageSize),
    ...fits('language.visionEncoder.outputs.0.shape.1', axis(visionEncoder.outputs[0], 1), imageTokens),
    ...expect('language.template', images === 1, 'one <image>', String(images)),
    ...expect('action.question', !action.question.includes('<image>'), 'no <image>', 'one'),
    ...cacheRules(decoder, kv),
  ];
}

/** Labels that were added since would have no score. */
function preparedActionRules({ prepared, action }: PackManifest): readonly PackProblem[] {
  if (prepared?.action === undefined) return [];
  const scores = prepared.action.outputs.find(({ name }) => name === 'scores');
  return fits('prepared.action.outputs.scores.shape.1', axis(scores, 1), action.labels.length);
}

/** Keys and values of every layer go in and come out, and no others. */
function cacheRules(decoder: ModelSpec, kv: PackManifest['language']['kv']): readonly PackProblem[] {
  const sides = [
    { side: 'inputs', tensors: decoder.inputs, prefix: 'past_key_values' },
    { side: 'outputs', tensors: decoder.outputs, prefix: 'present' },
  ] as const;
  return sides.flatMap(({ side, tensors, prefix }) => {
    const caches = tensors.filter(({ name }) => name.startsWith(`${prefix}.`));
    const wanted = cacheNames(kv.layers, prefix);
    const names = new Set(caches.map(({ name }) => name));
    const missing = wanted.filter((name) => !names.has(name));
    const known = new Set(wanted);
    const more = [...names].filter((name) => !known.has(name));
    const field = `language.decoder.${side}`;
    return [
      ...expect(field, missing.length === 0, `${missing.slice(0, 2).join(' and ')} for kv.layers ${kv.layers}`, 'none'),
      ...expect(field, more.length === 0, `no cache beyond kv.layers ${kv.layers}`, more.slice(0, 2).join(' and ')),
      ...caches.flatMap((tensor) => [
        ...fits(`${field}.${tensor.name}.shape.1`, axis(tensor, 1), kv.heads),
        ...fits(`${field}.${tensor.name}.shape.3`, axis(tensor, 3), kv.headSize),
      ]),
    ];
  });
}

function pictureInput(field: string, model: ModelSpec): readonly PackProblem[] {
  const [input] = model.inputs;
  const [height, width] = [axis(input, 2), axis(input, 3)];
  const fixed = typeof height === 'number' && typeof width === 'number';
  const names = model.inputs.map(({ name }) => name).join(', ');
  return [
    ...expect(`${field}.inputs`, model.inputs.length === 1, 'one picture', names),
    ...floats(`${field}.inputs.0`, input),
    ...fits(`${field}.inputs.0.shape.1`, axis(input, 1), 3),
    ...expect(`${field}.inputs.0.shape`, fixed, 'a fixed height and width', `${height} and ${width}`),
  ];
}

function floats(field: string, tensor: TensorSpec | undefined): readonly PackProblem[] {
  const dtype = tensor?.dtype;
  return expect(`${field}.dtype`, dtype === 'float32' || dtype === 'float16', 'float32 or float16', String(dtype));
}

function deviation(field: string, std: readonly number[]): readonly PackProblem[] {
  return expect(
    field,
    std.every((value) => value > 0),
    'numbers above 0',
    std.join(', '),
  );
}

/** A size that the manifest leaves open fits any. */
function fits(field: string, found: Axis, expected: number): readonly PackProblem[] {
  return expect(
    field,
    found === expected || typeof found === 'string',
    String(expected),
    String(found ?? 'no such axis'),
  );
}

function axis(tensor: TensorSpec | undefined, index: number): Axis {
  return tensor?.shape[index];
}

function expect(field: string, met: boolean, expected: string, found: string): readonly PackProblem[] {
  return met ? [] : [{ file: 'manifest.json', field, expected, found }];
}
