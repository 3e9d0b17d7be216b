// Which file may import which. The pipeline is written down once, as data; every rule says what it protects.
// A rule is here to be kept: a finding is answered by moving code, not by a new exception.

/** The stages of the orchestrator in the order of imports. One that is not built yet already has its place. */
const STAGES = [
  'trail',
  'identity',
  'accounts',
  'artifacts',
  'jobs',
  'fleet',
  'forecast',
  'scheduling',
  'gateway',
  'receipts',
  'verification',
  'ledger',
  'evidence',
  'settlement',
  'chain',
  'serving',
  'approvals',
  'webhooks',
  'retention',
];

/** Code that only tests run: it may use development tools. */
const TESTS = [
  '\\.(spec|contract|e2e)\\.ts$',
  '\\.spec\\.mjs$',
  '/testing/',
  '^e2e/harness/',
  '^orchestrator/src/sim/',
];

/** Files that start a process or are named in a tool's settings, so that no import leads to them. */
const ENTRIES = [
  '/main\\.ts$',
  '-process\\.ts$',
  '\\.config\\.[cm]?[jt]s$',
  '\\.cjs$',
  '\\.setup\\.ts$',
  '^infra/setup/',
  '^programs/build/',
  '^bench/data/',
  '^bench/src/throughput/product/profiler\\.ts$',
];

/** The part of the tree a file belongs to, for use as `$1`; `infra` is one part. */
const PART = '^([^/]+)/';

const deny = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** A vendor's library stays where its adapter is, so that it can be replaced there. */
const only = (name, vendor, places) =>
  deny(
    name,
    `Only ${places.join(', ')} may know ${vendor}.`,
    { pathNot: places },
    { path: `^(node_modules/)?${vendor}` },
  );

/** A workspace sees of the others only those named here. */
const sees = (name, workspace, others, comment) =>
  deny(
    name,
    comment,
    { path: `^${workspace}/` },
    {
      path: '^(protocol|core|client|orchestrator|worker|dashboard|programs|infra|bench|e2e)/',
      pathNot: [`^${workspace}/`, ...others.map((other) => `^${other}/`)],
    },
  );

module.exports = {
  forbidden: [
    deny(
      'no-cycle',
      'A cycle has no layers; one of types is still a cycle.',
      {},
      { circular: true },
    ),
    deny(
      'no-orphan',
      'A file that nothing imports and that imports nothing is dead.',
      { orphan: true, pathNot: [...ENTRIES, ...TESTS] },
      {},
    ),
    deny(
      'names-say-what',
      'A file bears the name of its one idea, in kebab case; utils, helpers and the like name none.',
      {},
      {
        path: '(^|/)(utils?|helpers?|common|managers?|misc)(/|\\.[cm]?[jt]s$)|[A-Z_][^/]*\\.[cm]?[jt]s$',
        pathNot: 'node_modules/',
      },
    ),
    deny('no-unresolved', 'The import leads nowhere.', {}, { couldNotResolve: true }),
    deny(
      'no-undeclared',
      'What a workspace imports, its package.json names.',
      {},
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    ),
    deny(
      'no-dev-dependency',
      'Shipped code runs without development tools. Types vanish when it is compiled.',
      {
        path: PART,
        pathNot: [...TESTS, '^client/scripts/', '\\.config\\.[cm]?[jt]s$'],
      },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: '/@types/' },
    ),
    deny(
      'through-exports-only',
      'Another workspace is entered by the doors in its package.json.',
      { path: PART },
      {
        path: '^(protocol|core|client|orchestrator|worker|dashboard|programs|infra)/',
        pathNot: '^$1/',
        dependencyTypesNot: ['aliased-workspace'],
      },
    ),

    deny(
      'protocol-is-a-leaf',
      'The bytes of the wire depend on nothing that could change them, and run in a browser.',
      { path: '^protocol/src/', pathNot: TESTS },
      { pathNot: ['^protocol/src/', 'node_modules/(zod|@noble|@scure/base)/'] },
    ),
    deny(
      'protocol-node-is-thin',
      "The door for servers adds Node's own cryptography and files, nothing else.",
      { path: '^protocol/node/', pathNot: TESTS },
      {
        pathNot: [
          '^protocol/',
          '^(node:)?(crypto|fs|fs/promises|path)$',
          'node_modules/(zod|@noble|@scure/base)/',
        ],
      },
    ),
    deny(
      'core-is-pure',
      'Decisions are functions of their arguments: no input, no output, no framework.',
      { path: '^core/src/', pathNot: TESTS },
      { pathNot: ['^core/src/', '^protocol/src/', 'node_modules/@noble/'] },
    ),

    sees('core-sees-protocol', 'core', ['protocol'], 'Core knows the words of the wire, no app.'),
    sees(
      'protocol-sees-nobody',
      'protocol',
      [],
      'Everybody speaks the protocol, so it can know nobody.',
    ),
    sees(
      'worker-is-alone',
      'worker',
      ['protocol', 'programs/client'],
      'A worker runs on the machine of a stranger: it shares words with the network, not code.',
    ),
    sees(
      'client-is-alone',
      'client',
      ['protocol', 'core', 'programs/client', 'infra/localnet'],
      'A submitter needs the API alone, and the rules, to decide again what was decided. The command starts the other apps as processes.',
    ),
    sees(
      'dashboard-reads-names',
      'dashboard',
      ['protocol'],
      'Dashboards know the names of metrics, not the code behind them.',
    ),
    sees(
      'localnet-starts-processes',
      'infra/localnet',
      ['protocol', 'programs/client'],
      'It starts the apps as anybody would, so that tests see what an operator sees.',
    ),
    deny(
      'nothing-imports-an-app',
      'Apps are started, not imported: what two of them need is a library.',
      // The simulator runs both ends in one process, under one virtual clock.
      { path: PART, pathNot: '^orchestrator/src/sim/' },
      { path: '^(orchestrator|worker|dashboard|bench|e2e)/', pathNot: '^$1/' },
    ),
    deny(
      'simulator-is-for-tests',
      'What an operator runs knows nothing of the simulator.',
      { path: '^orchestrator/src/', pathNot: ['^orchestrator/src/sim/', ...TESTS] },
      { path: '^orchestrator/src/sim/' },
    ),
    deny(
      'localnet-is-for-tests-and-the-command',
      'An app that ran on embedded servers would not be the app that an operator runs.',
      { path: '^(protocol|core|orchestrator|worker|dashboard)/', pathNot: TESTS },
      { path: '^infra/' },
    ),

    deny(
      'platform-knows-no-stage',
      'The platform serves every stage alike.',
      { path: '^orchestrator/src/platform/' },
      { path: [`^orchestrator/src/(${STAGES.join('|')})/`, '^core/'] },
    ),
    ...STAGES.slice(0, -1).map((stage, place) =>
      deny(
        `one-way-${stage}`,
        'A stage writes rows and the next one reads them; imports point backwards only.',
        { path: `^orchestrator/src/${stage}/` },
        { path: `^orchestrator/src/(${STAGES.slice(place + 1).join('|')})/` },
      ),
    ),

    only('tensorflow-here', '@tensorflow/', [
      '^orchestrator/src/forecast/tf/',
      '^worker/src/runtime/tfjs/',
    ]),
    only('solana-here', '(@solana|@coral-xyz)/', [
      '^programs/client/',
      '^orchestrator/src/(chain|cosigner)/',
      '^worker/src/payouts/',
      '^client/src/chain/',
      '^infra/localnet/',
      '^bench/src/settlement/',
    ]),
    only('sockets-here', '(ws|@nestjs/websockets|@nestjs/platform-ws)/', [
      '^orchestrator/src/(gateway|serving)/',
      '^worker/src/link/',
      // Subscriptions of the emulated chain.
      '^infra/localnet/src/chain/',
      // Simulated workers and idle sockets: the load of the benchmark.
      '^bench/src/throughput/(sockets|workers)/',
      // Workers whose every word a test writes.
      '^e2e/(harness/worker-socket|hostile/attacks|sockets\\.e2e)\\.ts$',
    ]),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(((infra|programs)/)?[^/]+/dist|programs/target|\\.tidemill|coverage)/' },
    // A test tool is declared once, at the root.
    combinedDependencies: true,
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default'],
    },
  },
};
