import { onBothDatabases } from './databases.ts';
import { idsSuite } from './suites/ids.ts';
import { migrateSuite } from './suites/migrate.ts';
import { outsideValuesSuite } from './suites/outside-values.ts';
import { runRowsSuite } from './suites/run-rows.ts';
import { runsSuite } from './suites/runs.ts';
import { schemaDriftSuite } from './suites/schema-drift.ts';
import { storingSuite } from './suites/storing.ts';
import { sweepSuite } from './suites/sweep.ts';

onBothDatabases({
  migrations: migrateSuite,
  runs: runsSuite,
  'storing a result': storingSuite,
  'ids of the backend': idsSuite,
  'the sweep': sweepSuite,
  'rows of runs': runRowsSuite,
  'values from outside': outsideValuesSuite,
  'the schema': schemaDriftSuite,
});
