const { relative } = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');
const { startsFirst } = require('./slow-first.ts');

/** Starts the slow files first, also on a machine that has not run them yet. */
class SlowFirstSequencer extends Sequencer {
  sort(tests) {
    const known = (test) => ({
      file: relative(test.context.config.rootDir, test.path),
      failedLast: this.hasFailed(test),
      lastTook: test.duration,
    });
    // Jest's own order, larger files first, stays among those of which nothing is known.
    return super.sort(tests).sort((a, b) => startsFirst(known(a), known(b)));
  }
}

module.exports = SlowFirstSequencer;
