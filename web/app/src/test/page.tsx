import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createMemoryHistory, createRootRoute, createRoute, createRouter, Outlet, RouterProvider, type RouteComponent } from '@tanstack/react-router';
import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { vi, type MockInstance } from 'vitest';

import { http } from '../api/auth';

const texts = import.meta.glob<Record<string, unknown>>('../locales/en/*.json', { eager: true, import: 'default' });
const namespaces = Object.fromEntries(Object.entries(texts).map(([file, text]) => [/(\w+)\.json$/.exec(file)?.[1] ?? '', text]));

/** Prepares what pages need: the English texts, and what jsdom lacks. The screen is wide and as high as a few rows. */
export async function preparePages(): Promise<void> {
  await i18next.use(initReactI18next).init({ lng: 'en', resources: { en: namespaces }, defaultNS: 'shell', interpolation: { escapeValue: false }, contextSeparator: '~' });
  window.scrollTo = () => undefined;
  window.matchMedia = (query) => ({ matches: false, media: query, addEventListener: () => undefined, removeEventListener: () => undefined, onchange: null, dispatchEvent: () => false }) as unknown as MediaQueryList;
  globalThis.ResizeObserver = class { observe() { /* sizes do not change here */ } unobserve() { /* likewise */ } disconnect() { /* likewise */ } };
  Object.defineProperty(HTMLElement.prototype, 'clientHeight', { configurable: true, get: () => 600 });
  Object.defineProperty(HTMLElement.prototype, 'clientWidth', { configurable: true, get: () => 1200 });
}

export interface Answer {
  readonly status?: number;
  readonly data?: unknown;
  /** The code of a problem, for a status that is one. */
  readonly code?: string;
}

/** The spy on GET requests: the path, and what was asked of it. */
export type Gets = MockInstance<(path: string, options?: { readonly params?: { readonly query?: Record<string, unknown> } }) => unknown>;

/** Answers all GET requests, until the next call; what `answer` returns undefined for is an empty object. Returns the spy. */
export function answerGets(answer: (path: string, query: Record<string, unknown>) => Answer | undefined): Gets {
  return vi.spyOn(http, 'GET').mockImplementation(((path: string, { params }: { params?: { query?: Record<string, unknown> } } = {}) => {
    const { status = 200, data = {}, code = 'internal' } = answer(path, params?.query ?? {}) ?? {};
    if (status < 400) return Promise.resolve({ data, response: new Response(null, { status, headers: { 'Content-Type': 'application/json' } }) });
    const problem = { code, status, detail: code, retryable: false };
    return Promise.resolve({ error: problem, response: new Response(null, { status, headers: { 'Content-Type': 'application/problem+json' } }) });
  }) as never) as unknown as Gets;
}

/** Shows a page at its path; every other path shows an empty page. Returns the user and the router. */
export function showPage(path: string, at: string, page: RouteComponent, validateSearch: (raw: Record<string, unknown>) => object = (raw) => raw) {
  const root = createRootRoute({ component: Outlet });
  const router = createRouter({
    routeTree: root.addChildren([
      createRoute({ getParentRoute: () => root, path, component: page, validateSearch }),
      createRoute({ getParentRoute: () => root, path: '/$', component: Outlet }),
    ]),
    history: createMemoryHistory({ initialEntries: [at] }),
  });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
        <RouterProvider router={router as never} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { user: userEvent.setup(), router };
}
