import '@testing-library/jest-dom/vitest';
import { configure } from '@testing-library/react';

// How long findBy and waitFor look for what a test expects. Only a failing test waits this long: a
// second, the library's own choice, is too short for a machine that has other things to do.
configure({ asyncUtilTimeout: 20_000 });
