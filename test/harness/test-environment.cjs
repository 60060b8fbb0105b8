const { appendFileSync, chmodSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join, relative } = require('node:path');
const vm = require('node:vm');
const { TestEnvironment } = require('jest-environment-node');

/**
 * Jest runs each file in its own realm, whose typed arrays fail the `instanceof` checks of native
 * bindings (onnxruntime-node, sharp). Handing the outer realm's constructors in keeps those checks true.
 */
const SHARED = [
  'ArrayBuffer',
  'SharedArrayBuffer',
  'DataView',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Error',
  'Promise',
];

/** Where the files of a run say what they are doing: run-tests.ts makes it. Absent when Jest was started without that. */
const RUN_FOLDER = process.env.TEST_RUN_FOLDER;

/**
 * Owns what a test file starts. Its temporary files lie in a folder of its own, which goes with it. What a test leaves open (by
 * the books that the harness keeps) and what the file leaves behind (a process, a server that listens) is ended, named, and a failure.
 */
class OwningEnvironment extends TestEnvironment {
  #file;
  #outerTemp;
  #folder;
  #ownership;
  #leftBehind;
  #before;

  constructor(config, context) {
    const folder = mkdtempSync(join(RUN_FOLDER ?? tmpdir(), 'test-'));
    // A server that a test starts as another user has its own folder in here.
    chmodSync(folder, 0o711);
    const outerTemp = process.env.TMPDIR;
    // Before the test's realm copies the environment.
    process.env.TMPDIR = folder;
    const { createContext } = vm;
    // A global object of its own in the place of one that asks Jest at every `Math` and `Float32Array`: a hundred times slower.
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY);
    try {
      super(config, context);
    } finally {
      vm.createContext = createContext;
    }
    this.#outerTemp = outerTemp;
    this.#folder = folder;
    this.#file = relative(config.projectConfig.rootDir, context.testPath);
    for (const name of SHARED) {
      if (globalThis[name] !== undefined) this.global[name] = globalThis[name];
    }
  }

  async setup() {
    await super.setup();
    const { Ownership, OWNERSHIP } = await import('./ownership.ts');
    this.#leftBehind = await import('./left-behind.ts');
    this.#ownership = new Ownership();
    this.global[OWNERSHIP] = this.#ownership;
    this.#before = await this.#leftBehind.takeStock();
    answerWhatIsOpen();
    this.#tell(null);
  }

  async handleTestEvent(event, state) {
    switch (event.name) {
      case 'test_start':
        this.#ownership.test = nameOf(event.test);
        this.#tell(this.#ownership.test);
        break;
      case 'test_done': {
        const left = await this.#ownership.endLeft(this.#ownership.test);
        if (left.length > 0) event.test.errors.push(new Error(`the test left open ${left.join(', ')}`));
        this.#ownership.test = null;
        break;
      }
      case 'run_finish': {
        const left = await this.#ownership.endLeft(null);
        left.push(...(await this.#leftBehind.endLeftBehind(this.#before, this.#folder)));
        if (left.length > 0) state.unhandledErrors.push(new Error(`the file left behind ${left.join(', ')}`));
        break;
      }
    }
  }

  async teardown() {
    await super.teardown();
    if (this.#outerTemp === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = this.#outerTemp;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
    if (RUN_FOLDER !== undefined) rmSync(runningFile(), { force: true });
  }

  #tell(test) {
    if (RUN_FOLDER === undefined) return;
    writeFileSync(runningFile(), JSON.stringify({ file: this.#file, test, since: Date.now() }));
  }
}

const runningFile = () => join(RUN_FOLDER, `${process.pid}.running`);

function nameOf(test) {
  const names = [];
  for (let block = test; block.parent !== undefined; block = block.parent) names.unshift(block.name);
  return names.join(' › ');
}

let answers = false;

/** On SIGUSR2 this process writes down what keeps it from ending; the file tells that it will. */
function answerWhatIsOpen() {
  if (answers || RUN_FOLDER === undefined) return;
  answers = true;
  const file = join(RUN_FOLDER, `${process.pid}.open`);
  writeFileSync(file, '');
  process.on('SIGUSR2', () => {
    const counts = Map.groupBy(process.getActiveResourcesInfo(), (name) => name);
    appendFileSync(file, [...counts].map(([name, all]) => `${all.length} ${name}`).join(', '));
  });
}

module.exports = OwningEnvironment;
