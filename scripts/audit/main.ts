// Checks the npm packages: licences, sources, hashes, install scripts, pins. Needs no network.
//   --advisories   also asks the registry what is known against them
import { fileURLToPath } from 'node:url';
import { askAdvisories } from './advisories.ts';
import { auditPackages } from './findings.ts';
import { readPackages } from './read.ts';

const root = new URL('../../', import.meta.url);
const packages = readPackages(root);
const findings = auditPackages(packages);
const unknown = process.argv.slice(2).filter((argument) => argument !== '--advisories');
if (unknown.length > 0) {
  console.error(`audit:deps knows --advisories and nothing else, not ${unknown.join(' ')}`);
  process.exit(1);
}
if (process.argv.includes('--advisories')) {
  const { found, unanswered } = await askAdvisories(fileURLToPath(root));
  findings.push(...found);
  if (unanswered !== null) {
    findings.push(
      `the registry did not say what is known against the packages (${unanswered}): ask again where it can be reached`,
    );
  }
}
for (const finding of findings) console.error(finding);
const count = Object.keys(packages.lock.packages).length - 1;
if (findings.length === 0) {
  console.log(`${count} packages: licences, sources, hashes, install scripts and pins are as they must be`);
}
process.exitCode = findings.length === 0 ? 0 : 1;
