import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Code that only tests run. */
const TESTS = ['**/*.spec.{ts,mjs}', '**/*.e2e.ts', '**/*.contract.ts', '**/testing/**', 'e2e/**'];

/** Programs and scripts that a person starts: they read the environment and speak to the terminal. */
const PROGRAMS = [
  'infra/setup/**',
  'programs/build/**',
  'bench/**',
  'e2e/**',
  'client/scripts/**',
  '*.config.{js,ts}',
  'docs/examples/**',
];

/** Faults in any JavaScript. What the compiler finds anyway is left to it. */
const FAULTS = {
  // `== null` stays: it is how null and undefined are met at once.
  eqeqeq: ['error', 'always', { null: 'ignore' }],
  'no-async-promise-executor': 'error',
  'no-cond-assign': 'error',
  'no-constant-binary-expression': 'error',
  'no-constant-condition': 'error',
  'no-control-regex': 'error',
  'no-debugger': 'error',
  'no-else-return': ['error', { allowElseIf: false }],
  'no-empty': 'error',
  'no-empty-pattern': 'error',
  'no-eval': 'error',
  'no-fallthrough': 'error',
  'no-lonely-if': 'error',
  'no-loss-of-precision': 'error',
  'no-self-compare': 'error',
  'no-sparse-arrays': 'error',
  // `for await (const line of lines) return line` is how the first is read.
  'no-unreachable-loop': ['error', { ignore: ['ForOfStatement'] }],
  'no-unsafe-finally': 'error',
  'no-unsafe-optional-chaining': 'error',
  'no-useless-assignment': 'error',
  'no-useless-escape': 'error',
  'no-useless-rename': 'error',
  'no-useless-return': 'error',
  'no-var': 'error',
  'no-warning-comments': 'error',
  'object-shorthand': ['error', 'always', { avoidExplicitReturnArrows: false }],
  'prefer-const': 'error',
  // What is thrown anew carries what was caught as its cause.
  'preserve-caught-error': 'error',
  'require-yield': 'error',
  'use-isnan': 'error',
  'valid-typeof': 'error',
};

/** What is wrong in every file. */
const ANYWHERE = [
  {
    selector: "MemberExpression[property.name='localeCompare']",
    message: 'The order of a locale differs between machines: compare with <.',
  },
  {
    selector: 'TSInterfaceDeclaration[id.name=/^I[A-Z]/], ClassDeclaration[id.name=/Impl$/]',
    message: 'A port is named for what it keeps, an adapter for what it keeps it with.',
  },
];

/** What would make a decision depend on more than its arguments. */
const IMPURE = [
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: 'Decisions take the time as an argument, so that they can be replayed.',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'Decisions take the time as an argument, so that they can be replayed.',
  },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'Decisions draw from a seeded generator, so that they can be replayed.',
  },
  {
    selector: ':function[async=true]',
    message: 'Decisions wait for nothing: gather the snapshot first, then decide.',
  },
];

const EDGES = {
  'no-console': 'error',
  'no-restricted-properties': [
    'error',
    {
      object: 'process',
      property: 'env',
      message: 'Configuration is read once, in config/, and handed on.',
    },
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: [
        {
          name: 'node:process',
          importNames: ['env'],
          message: 'Configuration is read once, in config/, and handed on.',
        },
      ],
    },
  ],
  'no-restricted-syntax': ['error', ...ANYWHERE],
};

/** Changes to the strictest set, each with its reason. */
const TYPED = {
  // Controllers and services with decorators keep value imports, since Nest reads them when it runs.
  '@typescript-eslint/consistent-type-imports': [
    'error',
    { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
  ],
  '@typescript-eslint/switch-exhaustiveness-check': [
    'error',
    { considerDefaultExhaustiveForUnions: true },
  ],
  '@typescript-eslint/prefer-readonly': 'error',
  // Numbers and amounts are written into messages and SQL all over; objects, null and undefined stay errors.
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
  // `return answer(404)` ends a handler, and `() => stop()` is short: nobody reads the nothing they give.
  '@typescript-eslint/no-confusing-void-expression': 'off',
  '@typescript-eslint/no-unused-vars': [
    'error',
    { argsIgnorePattern: '^_', varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
  ],
  // `[...text]` takes a text apart into code points, which is what a limit on its length counts.
  '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
  // A Nest module is a class without a body.
  '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
  // A method of a port is async so that whatever it throws is a rejection, awaiting or not.
  '@typescript-eslint/require-await': 'off',
  // `void | Promise<void>` is what a callback returns that may or may not have to wait.
  '@typescript-eslint/no-invalid-void-type': 'off',
  // Classes serve as tokens of injection and are met by their shape, as every type here is.
  '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
  // There is no enum in the code, only unions of words.
  '@typescript-eslint/no-unsafe-enum-assignment': 'off',
};

/** A test reads answers as the wire gives them, and `expect.any()` is any: the assertion is the check. */
const TYPED_IN_TESTS = {
  '@typescript-eslint/no-explicit-any': 'off',
  '@typescript-eslint/no-unsafe-argument': 'off',
  '@typescript-eslint/no-unsafe-assignment': 'off',
  '@typescript-eslint/no-unsafe-call': 'off',
  '@typescript-eslint/no-unsafe-member-access': 'off',
  '@typescript-eslint/no-unsafe-return': 'off',
  // `[...'0123456789']` is how an alphabet is written down.
  '@typescript-eslint/no-misused-spread': 'off',
  // `afterAll` also runs when `beforeAll` failed and left its variables empty.
  '@typescript-eslint/no-unnecessary-condition': 'off',
};

export default defineConfig(
  {
    ignores: [
      '**/dist/',
      'bench/data/',
      'client/src/sdk/generated/',
      'coverage/',
      '.tidemill/',
      'programs/target/',
    ],
  },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: { ...FAULTS, ...EDGES },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: 'tsconfig.lint.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: TYPED,
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: {
        clearInterval: 'readonly',
        clearTimeout: 'readonly',
        console: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',
        process: 'readonly',
        setInterval: 'readonly',
        setTimeout: 'readonly',
        structuredClone: 'readonly',
        URL: 'readonly',
      },
    },
    rules: { 'no-undef': 'error', 'no-unused-vars': 'error' },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { globals: { module: 'writable', require: 'readonly' } },
  },
  {
    files: ['core/src/**', 'protocol/src/**'],
    ignores: TESTS,
    rules: { 'no-restricted-syntax': ['error', ...ANYWHERE, ...IMPURE] },
  },
  {
    files: ['**/main.ts', 'client/src/cli/output/**', ...PROGRAMS],
    rules: { 'no-console': 'off' },
  },
  {
    // Where the environment is read, and where that of another process is put together.
    files: ['**/config/**', 'infra/localnet/src/**', ...PROGRAMS, ...TESTS],
    rules: { 'no-restricted-properties': 'off', 'no-restricted-imports': 'off' },
  },
  { files: TESTS, ignores: ['**/*.mjs'], rules: TYPED_IN_TESTS },
);
