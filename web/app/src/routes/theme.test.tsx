import { MantineProvider, Modal, Popover } from '@mantine/core';
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { useState } from 'react';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { MapControls } from '../lib/map/MapControls';
import { preparePages } from '../test/page';
import { theme } from './theme';

// Without Mantine's env "test", which would leave out the transitions that this is about.

beforeAll(preparePages);
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'requestAnimationFrame', 'cancelAnimationFrame', 'performance', 'Date'] });
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

/** Long enough for the entrance or the exit of any part of Mantine's to end. */
const settle = () => act(() => { vi.advanceTimersByTime(1000); });

function Dialog() {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <button onClick={() => setOpened((on) => !on)}>Toggle</button>
      <Modal opened={opened} onClose={() => setOpened(false)} title="Why"><input aria-label="Reason" /></Modal>
    </>
  );
}

function Choice() {
  return (
    <Popover>
      <Popover.Target><button>Toggle</button></Popover.Target>
      <Popover.Dropdown><input aria-label="Reason" /></Popover.Dropdown>
    </Popover>
  );
}

const cases = [
  ['the entry of coordinates on a map', <MapControls key="m" geolocation={null} driving={false} onDrive={undefined} comeBack={null} onPick={() => undefined} />, 'Enter coordinates', 'Latitude'],
  ['a dialog', <Dialog key="d" />, 'Toggle', 'Reason'],
  ['a popover', <Choice key="p" />, 'Toggle', 'Reason'],
] as const;

describe('what opens over a page', () => {
  it.each(cases)('%s begins with fresh fields when it is reopened at once, and keeps them while it is open', (_, node, button, field) => {
    render(<MantineProvider theme={theme}>{node}</MantineProvider>);
    const toggle = () => fireEvent.click(screen.getByRole('button', { name: button, hidden: true }));
    toggle();
    settle();
    fireEvent.change(screen.getByLabelText(field), { target: { value: '40.7' } });
    toggle();
    expect(screen.queryByLabelText(field)).not.toBeInTheDocument();
    toggle();
    const reopened = screen.getByLabelText(field);
    expect(reopened).toHaveValue('');
    fireEvent.change(reopened, { target: { value: '37.5' } });
    settle();
    expect(screen.getByLabelText(field)).toBe(reopened);
    expect(reopened).toHaveValue('37.5');
  });
});
