import js from '@eslint/js';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';
import { readdirSync } from 'node:fs';

// Each folder is a feature; a new one is under the same rules.
const features = readdirSync(`${import.meta.dirname}/app/src/features`);

export default tseslint.config(
  { ignores: ['dist/', '**/node_modules/', '**/gen/', '**/dist/', 'client/lib/', 'app/src/api/schema.d.ts', 'app/public/'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // Numbers in texts are what the texts are about.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Event handlers are often async and catch their own errors.
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/only-throw-error': ['error', { allow: [{ from: 'package', package: '@tanstack/router-core', name: ['Redirect', 'NotFoundError'] }] }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['app/**/*.{ts,tsx}'],
    extends: [jsxA11y.flatConfigs.recommended, reactHooks.configs.flat.recommended],
  },
  {
    // The app's floors: routes stand on features, features on lib, lib on api. Imports only go down, and no feature knows another.
    files: ['app/src/**/*.{ts,tsx}'],
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.tsx', '.d.ts', '.js', '.json'] })],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts', '.tsx'] },
    },
    rules: {
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': ['error', {
        basePath: `${import.meta.dirname}/app/src`,
        zones: [
          { target: './api', from: ['./lib', './features', './routes'], message: 'api is the ground floor.' },
          { target: './lib', from: ['./features', './routes'], message: 'lib is for all features and knows none.' },
          { target: './features', from: './routes', message: 'Routes show features, not the other way round.' },
          ...features.map((name) => ({
            target: `./features/${name}`, from: './features', except: [`./${name}`], message: 'What two features need belongs in lib.',
          })),
        ],
      }],
    },
  },
  {
    files: ['app/src/**/*.{ts,tsx}'],
    ignores: ['app/src/api/queries.ts'],
    rules: {
      'no-restricted-syntax': ['error', {
        selector: ':matches(Property[key.name="queryKey"], CallExpression[callee.property.name=/^(get|set)Quer(y|ies)Data$/]) > ArrayExpression',
        message: 'Query keys have one home: api/queries.ts.',
      }],
    },
  },
  {
    // Scripts, examples and recorders run in Node.
    files: ['client/**/*.mjs'],
    languageOptions: {
      globals: {
        Buffer: 'readonly', URL: 'readonly', clearTimeout: 'readonly', console: 'readonly', fetch: 'readonly', process: 'readonly',
        setInterval: 'readonly', setTimeout: 'readonly',
      },
    },
    rules: { 'no-console': 'off' },
  },
);
