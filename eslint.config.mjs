import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Layers from ARCHITECTURE.md: what a folder must never import. */
const forbid = (...groups) => [
  'error',
  { patterns: groups.map((group) => ({ group, message: 'Against the one-way flow in ARCHITECTURE.md.' })) },
];

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'test/package/consumers/', 'example/integrations/.nestjs/', 'bench/results/'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/only-throw-error': ['error', { allowRethrowing: true, allowThrowingUnknown: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
    },
  },
  {
    // Its types are those of the built package, which lint does without; the compiler checks them.
    files: ['example/integrations/nestjs/*.ts'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['lib/**/*.ts'],
    ignores: ['lib/clock.ts', 'lib/emulator/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Time comes from lib/clock.ts.' },
      ],
      'no-restricted-globals': [
        'error',
        { name: 'setTimeout', message: 'Timers come from lib/clock.ts.' },
        { name: 'setInterval', message: 'Timers come from lib/clock.ts.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "ImportDeclaration[source.value='node:async_hooks']",
          message: 'Where Node keeps contexts with async_hooks, it makes every promise of the application dearer.',
        },
      ],
    },
  },
  {
    // More than three things that belong together are an object with names.
    files: ['lib/coordinator/**/*.ts', 'lib/stores/**/*.ts', 'lib/login/**/*.ts'],
    rules: { 'max-params': ['error', 3] },
  },
  {
    files: ['lib/stores/**/*.ts'],
    rules: {
      'no-restricted-imports': forbid([
        'express',
        'express/*',
        'passport*',
        '**/token/*',
        '**/strategy/*',
        '**/middleware/*',
        '**/coordinator/*',
      ]),
    },
  },
  {
    files: ['lib/token/**/*.ts'],
    rules: {
      'no-restricted-imports': forbid([
        'express',
        'passport*',
        '**/stores/*',
        '**/strategy/*',
        '**/middleware/*',
        '**/coordinator/*',
      ]),
    },
  },
  {
    files: ['lib/coordinator/**/*.ts'],
    rules: { 'no-restricted-imports': forbid(['express', 'passport*', '**/strategy/*', '**/middleware/*']) },
  },
  {
    files: ['lib/strategy/**/*.ts', 'lib/login/**/*.ts'],
    rules: { 'no-restricted-imports': forbid(['**/stores/*', '**/coordinator/*', '**/middleware/*']) },
  },
  {
    files: ['lib/emulator/**/*.ts'],
    rules: {
      'no-restricted-imports': forbid([
        '**/stores/*',
        '**/coordinator/*',
        '**/middleware/*',
        '**/strategy/*',
        '**/token/*',
      ]),
    },
  },
  {
    files: ['test/**/*.ts', 'example/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      'max-lines': 'off',
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs', '**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        module: 'writable',
        require: 'readonly',
        URL: 'readonly',
        URLSearchParams: 'readonly',
        fetch: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        __dirname: 'readonly',
      },
    },
  },
  {
    // Scripts of pages run in browsers.
    files: ['example/public/*.js'],
    languageOptions: {
      globals: {
        clearTimeout: 'readonly',
        document: 'readonly',
        EventSource: 'readonly',
        navigator: 'readonly',
        setTimeout: 'readonly',
        window: 'readonly',
      },
    },
  },
  {
    files: ['bench/**/*.mjs'],
    languageOptions: {
      globals: {
        Buffer: 'readonly',
        performance: 'readonly',
        Response: 'readonly',
        setImmediate: 'readonly',
        setTimeout: 'readonly',
        globalThis: 'readonly',
      },
    },
    rules: { 'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }] },
  },
  { files: ['lib/cli.ts', 'lib/cli/**/*.ts', 'example/**/*.ts', 'tools/**'], rules: { 'no-console': 'off' } },
);
