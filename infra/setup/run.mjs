// The door behind every npm script and the tidemill command: sets up what is missing, then does what was asked for.
//
//   node infra/setup/run.mjs demo | test | test:long | check | dev | cli | bench:throughput | bench:sizes |
//   bench:settlement [arguments]
//
// The first lines must be readable by any Node.js, so that an old one is told so instead of stumbling over the syntax.
import { nodeFault } from './node-version.mjs';

const fault = nodeFault();
if (fault !== undefined) {
  console.error(fault);
  process.exit(1);
}
const { runVerb } = await import('./verbs.mjs');
await runVerb(process.argv[2], process.argv.slice(3));
