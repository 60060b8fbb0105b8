const { relative } = require('node:path');

/** After a run of everything: how long each suite took, and the slowest files. */
class SuiteTimesReporter {
  #globalConfig;

  constructor(globalConfig) {
    this.#globalConfig = globalConfig;
  }

  async onRunComplete(_contexts, { startTime, testResults }) {
    const { onlyChanged, rootDir, testNamePattern, testPathPatterns, watch, watchAll } = this.#globalConfig;
    if (onlyChanged || testNamePattern || testPathPatterns.patterns.length > 0 || watch || watchAll) return;
    const { renderSuiteTimes } = await import('./suite-times.ts');
    const times = testResults.map(({ testFilePath, perfStats }) => ({
      file: relative(rootDir, testFilePath),
      seconds: perfStats.runtime / 1_000,
    }));
    process.stderr.write(`\n${renderSuiteTimes(times, (Date.now() - startTime) / 1_000)}`);
  }
}

module.exports = SuiteTimesReporter;
