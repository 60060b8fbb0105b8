import { parseZonePlan, zoneOf } from '../../../src/analysis/zones.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { must, resultOf, type Target } from '../engine/target.ts';

const PICTURE = { width: 1_280, height: 720 };
const BOX = { x1: 100, y1: 200, x2: 220, y2: 500 };

/** A file of zones that somebody wrote by hand. */
export const target: Target = {
  covers: ['src/analysis/zones.ts'],
  maxBytes: 1 << 18,
  form: 'json',
  words: ['zones', 'name', 'area', 'x1', 'y1', 'x2', 'y2', 'counter', 'minInside', 'facing', 'degrees', 'tolerance'],
  check: (input) => {
    const plan = resultOf(() => parseZonePlan(input.toString(), 'zones.json'));
    if (plan instanceof Failure) {
      must(plan.code === 'CONFIG_INVALID' && plan.message.includes('zones.json'), `refused with ${plan.code}`);
      return;
    }
    const names = [plan.counter?.name, ...plan.zones.map(({ name }) => name)];
    for (const degrees of [null, 0, 90, 359]) {
      const zone = zoneOf(plan, BOX, degrees, PICTURE);
      must(zone === null || names.includes(zone), 'a person stands in a zone that there is not');
    }
  },
};
