import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

/** The accent: a deep teal that keeps 4.5:1 against white from shade 7 on. */
const lagoon: MantineColorsTuple = [
  '#e3faf8', '#cdf1ee', '#9ee2dd', '#6bd2cb', '#43c4bb', '#2abbb1', '#17a79e', '#0a736e', '#08635f', '#04504d',
];

/** Neutral with a hint of the accent, for dark surfaces. */
const dark: MantineColorsTuple = [
  '#d5dcdd', '#b3bdbf', '#8f9b9e', '#66737a', '#414d53', '#2f3a40', '#222c31', '#192226', '#12191c', '#0c1214',
];

/**
 * Dialogs and popovers mount and unmount with their opening, so each opening begins with fresh fields. Mantine's transitions keep
 * the content for the time of their exit, and two that cross on a slow machine unmount an open one: base.css fades them in instead.
 */
const atOnce = { duration: 0 } as const;

export const theme = createTheme({
  primaryColor: 'lagoon',
  primaryShade: { light: 7, dark: 7 },
  colors: { lagoon, dark },
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily:
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Apple SD Gothic Neo', Pretendard, 'Noto Sans KR', 'Noto Sans CJK KR', 'Malgun Gothic', sans-serif",
  headings: {
    fontWeight: '700',
    sizes: {
      h1: { fontSize: '2rem', lineHeight: '1.2' },
      h2: { fontSize: '1.5rem', lineHeight: '1.25' },
      h3: { fontSize: '1.2rem', lineHeight: '1.3' },
    },
  },
  respectReducedMotion: true,
  components: {
    Card: { defaultProps: { radius: 'lg', withBorder: true } },
    Paper: { defaultProps: { radius: 'lg' } },
    // A button beside a long text keeps room for its own.
    Button: { defaultProps: { radius: 'md' }, styles: { root: { minWidth: 'fit-content' } } },
    Popover: { defaultProps: { transitionProps: atOnce } },
    Modal: { defaultProps: { radius: 'lg', centered: true, transitionProps: atOnce }, styles: { title: { fontWeight: 700 } } },
  },
});

/** Mantine's own dimmed and error texts, and orange on orange, are too faint for everyone to read (WCAG AA). */
export const variables: CSSVariablesResolver = (t) => ({
  variables: {},
  light: { '--mantine-color-dimmed': '#5c656d', '--mantine-color-error': t.colors.red[9], '--mantine-color-orange-light-color': '#a33a06' },
  dark: { '--mantine-color-dimmed': t.colors.dark[1], '--mantine-color-error': t.colors.red[5] },
});
