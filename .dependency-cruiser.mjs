/** The borders of the code: which room may import which. The layers point one way; only lib/compose sees both sides. */

/** The files directly in lib/, the ports and the settings: types and helpers without a room. */
const plain = '^lib/((?!(index|testing)\\.)[a-z-]+|(ports|settings)/[a-z-]+)\\.ts$';
const room = (name) => `^lib/${name}/`;

/** A room may import its own files and what is named here; everything else of ours is forbidden to it. */
const layer = (name, ...allowed) => ({
  name: `layer-${name}`,
  severity: 'error',
  from: { path: room(name) },
  to: { path: '^(lib|functions|tools|tests|examples)/', pathNot: [room(name), plain, ...allowed] },
});

const onlyFrom = (name, module, ...folders) => ({
  name: `only-${name}`,
  severity: 'error',
  from: { path: '^(lib|functions|examples)/', pathNot: folders },
  to: { path: `node_modules/${module}/` },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    // A package of types alone (aws-lambda) has nothing to resolve.
    {
      name: 'no-missing',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^aws-lambda$' },
    },
    {
      name: 'plain-imports-plain',
      severity: 'error',
      from: { path: plain },
      to: { path: '^(lib|functions|tools|tests|examples)/', pathNot: plain },
    },
    layer('broker'),
    layer('store'),
    layer('accounts'),
    layer('events'),
    layer('lanes'),
    layer('requests', room('(accounts|lanes)')),
    layer('runs'),
    layer('telemetry'),
    layer('cluster', room('(lanes|runs)')),
    layer('consumer', room('(lanes|runs|cluster|telemetry)')),
    layer('http', room('(accounts|events|requests|telemetry)')),
    layer('websocket', room('(accounts|requests|http|events)')),
    layer('gateway', room('(http|websocket|cluster|runs)')),
    layer('library', room('(requests|http|consumer|compose)')),
    {
      name: 'production-code-alone',
      severity: 'error',
      from: { path: '^(lib|functions)/' },
      to: { path: '^(tests|tools|examples)/' },
    },
    {
      name: 'client-alone',
      severity: 'error',
      from: { path: '^client/' },
      to: { path: '^(lib|functions|tests|tools|examples)/' },
    },
    {
      name: 'client-without-node',
      severity: 'error',
      from: { path: '^client/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'console-alone',
      severity: 'error',
      from: { path: '^console/' },
      to: { path: '^(lib|functions|tests|tools|examples)/' },
    },
    {
      name: 'testing-is-for-tests',
      severity: 'error',
      from: { path: '^(lib|functions)/', pathNot: '^lib/testing(/|\\.)' },
      to: { path: '^lib/testing(/|\\.)' },
    },
    {
      name: 'only-compose-sees-both-sides',
      severity: 'error',
      from: { path: '^(lib|functions)/', pathNot: [room('compose'), room('broker'), room('store'), room('testing')] },
      to: { path: '^lib/(broker|store)/' },
    },
    onlyFrom('telemetry-opentelemetry', '@opentelemetry', room('telemetry')),
    onlyFrom('broker-amqplib', 'amqplib', room('broker')),
    onlyFrom('store-mongoose', '(mongoose|mongodb)', room('store')),
    onlyFrom('http-middy', '@middy', room('(http|websocket)'), '^functions/'),
  ],
  options: {
    // The TypeScript of this project has no API yet; swc reads it, all but `using`, which lib and functions do without.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.cjs', '.mjs'],
      conditionNames: ['node', 'import', 'require'],
    },
  },
};
