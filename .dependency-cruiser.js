// Who may import whom, for `npm run lint`. Whatever is not listed is refused; ARCHITECTURE.md says what the folders are.

/**
 * What each folder may import beside its own files: `values` are paths from the top that it may import outright,
 * `types` those from which it may only `import type`. `packages` and `node` list the npm packages and Node modules that
 * it may import, types included; without a list it may import any. All are regular expressions for how a path begins.
 */
const FOLDERS = {
  core: { values: [], packages: ['zod/'], node: ['crypto', 'buffer'] },
  machine: { values: ['core/'], packages: [] },
  pipeline: { values: ['core/', 'machine/'], packages: ['zod/', 'hono/'] },
  adapters: {
    values: [
      ...['core/', 'machine/patience\\.ts'],
      ...['pipeline/uploads/sign-upload\\.ts', 'pipeline/sandbox/wire\\.ts'],
    ],
    types: ['pipeline/'],
  },
  lambdas: { values: ['core/', 'machine/', 'pipeline/', 'adapters/'] },
  local: { values: ['core/', 'machine/', 'pipeline/', 'adapters/', 'lambdas/', 'web/build\\.ts'] },
  web: { values: ['core/'], types: ['pipeline/'] },
  lib: { values: ['core/', 'lambdas/environment\\.ts'], types: ['web/api\\.ts'] },
  bin: { values: ['lib/', 'web/build\\.ts'] },
  examples: { values: ['lib/'] },
};

/** These may import anything, and only they may import each other. */
const OUTSIDE = ['bench', 'scripts', 'test'];

const NODE_MODULES = '(^|/)node_modules/';

const folderRules = Object.entries(FOLDERS).flatMap(([folder, { values, types = [], packages, node }]) => {
  const from = { path: `^${folder}/` };
  const allowed = (paths) => [NODE_MODULES, ...[`${folder}/`, ...paths].map((path) => `^${path}`)];
  const rules = [
    {
      name: `${folder}-imports`,
      comment: `${folder}/ may import ${listed([...values, ...types.map((path) => `types of ${path}`)])} of ours.`,
      from,
      to: { couldNotResolve: false, dependencyTypesNot: ['core'], pathNot: allowed([...values, ...types]) },
    },
  ];
  if (types.length > 0) {
    rules.push({
      name: `${folder}-imports-types-only`,
      comment: `${folder}/ may import nothing but types from ${listed(types)}.`,
      from,
      to: {
        dependencyTypesNot: ['type-only', 'core'],
        path: types.map((path) => `^${path}`),
        pathNot: allowed(values),
      },
    });
  }
  if (packages) {
    rules.push({
      name: `${folder}-packages`,
      comment: `${folder}/ may import ${listed(packages)} of npm's packages.`,
      from,
      to: { path: NODE_MODULES, pathNot: packages.map((name) => `${NODE_MODULES}${name}`) },
    });
  }
  if (node) {
    rules.push({
      name: `${folder}-node-modules`,
      comment: `${folder}/ may import ${listed(node)} of Node's modules.`,
      from,
      to: { dependencyTypes: ['core'], pathNot: node.map((name) => `^(node:)?${name}$`) },
    });
  }
  return rules;
});

function listed(names) {
  return names.length > 0 ? names.join(', ').replaceAll('\\', '') : 'none';
}

export default {
  forbidden: [
    ...folderRules,
    {
      name: 'pipeline-platforms',
      comment: 'Hono is the same everywhere, but each of its adapters is for one platform.',
      from: { path: '^pipeline/' },
      to: { path: `${NODE_MODULES}hono/.*adapter/` },
    },
    {
      name: 'no-circles',
      comment:
        'Files that import each other, be it types only, cannot be read, tested or moved one at a time.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unknown-folders',
      comment: 'A new folder gets a line in .dependency-cruiser.js, and one in ARCHITECTURE.md.',
      from: { path: '^[^/]+/', pathNot: `^(${[...Object.keys(FOLDERS), ...OUTSIDE].join('|')})/` },
      to: {},
    },
    {
      name: 'resolvable',
      comment: 'An import of something that cannot be found would pass by every other rule.',
      from: {},
      // CloudFront itself has this one ready for its functions.
      to: { couldNotResolve: true, pathNot: '^cloudfront$' },
    },
  ].map((rule) => ({ ...rule, severity: 'error' })),
  options: {
    // Imports of types count, and what is imported for its type within an expression: `import('./plan.ts').Plan`.
    tsPreCompilationDeps: true,
    detectProcessBuiltinModuleCalls: true,
    doNotFollow: 'node_modules',
    exclude: '^(\\.data|\\.cache|cdk\\.out|coverage)/',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
