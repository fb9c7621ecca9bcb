import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

// The rooms and which other rooms each may import (docs/adr/0001). Everything not named here is refused.
const ROOMS = {
  config: [],
  database: ['config'],
  queue: ['database', 'config'],
  events: ['queue', 'database', 'config'],
  ingestion: ['events', 'queue', 'database', 'config'],
  action: ['events', 'queue', 'database', 'config'],
  rules: ['events', 'action', 'queue', 'database', 'config'],
  console: ['config', 'database', 'queue', 'events', 'ingestion', 'rules', 'action'],
  cli: ['config', 'database', 'queue', 'events', 'ingestion', 'rules', 'action', 'console'],
};

const directions = Object.entries(ROOMS).map(([room, allowed]) => {
  const refused = Object.keys(ROOMS).filter((other) => other !== room && !allowed.includes(other));
  return {
    files: [`src/${room}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...refused.map((other) => ({
              group: [`../${other}/*`, `../../${other}/*`],
              message: `${room} may not import ${other}: imports point one way (docs/adr/0001).`,
            })),
          ],
        },
      ],
    },
  };
});

export default tseslint.config(
  { ignores: ['dist*/', 'node_modules/', 'coverage/', '.aftersign/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./test/tsconfig.json', './console/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      curly: ['error', 'multi-line'],
      eqeqeq: 'error',
      'no-console': 'error',
      '@typescript-eslint/consistent-type-imports': 'off',
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    // It knows the service by its API alone, and what that answers by its types.
    files: ['console/src/**/*.{ts,tsx}'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '\\.\\./src/', allowTypeImports: true, message: 'Types only, by api/types.ts.' },
          ],
        },
      ],
      // A handler may answer a promise that nobody waits for.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['src/runtime.ts', 'src/cli/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['console/public/*.js'],
    languageOptions: {
      globals: {
        document: 'readonly',
        localStorage: 'readonly',
        matchMedia: 'readonly',
        navigator: 'readonly',
      },
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',

        setTimeout: 'readonly',
        URL: 'readonly',
      },
    },
  },
  ...directions,
  prettier,
);
