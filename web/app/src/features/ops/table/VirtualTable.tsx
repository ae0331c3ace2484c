import { useMediaQuery } from '@mantine/hooks';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, type KeyboardEvent, type MouseEvent, type ReactNode } from 'react';

import classes from './VirtualTable.module.css';

export interface Column<T> {
  readonly key: string;
  readonly title: string;
  /** Width as a track of CSS grid, such as "minmax(120px, 2fr)". */
  readonly width: string;
  readonly cell: (row: T) => ReactNode;
  readonly align?: 'end';
  /** The list is ordered by it, newest first. */
  readonly sorted?: boolean;
  /** The title is for screen readers alone. */
  readonly quiet?: boolean;
}

export interface VirtualTableProps<T> {
  /** The table's name. */
  readonly label: string;
  readonly rows: readonly T[];
  readonly columns: readonly Column<T>[];
  readonly rowKey: (row: T) => string;
  /** Whether cells have two lines. */
  readonly tall?: boolean;
  /** The whole row on a narrow screen. */
  readonly narrow: (row: T) => ReactNode;
  readonly onOpen: (row: T) => void;
  /** Called when the end comes near; may be called often. */
  readonly onMore: () => void;
  readonly hasMore: boolean;
  /** Lists that were left are shown again where they were, by this name. */
  readonly memory: string;
  /** The table goes back to its beginning whenever this rises. */
  readonly toTop?: number;
  /** Keys that act on the row that has the focus, by their place on the keyboard; true: it was one. */
  readonly onKey?: (row: T, code: string) => boolean;
  /** Whenever it rises the focus goes back to where it was last, also if that row has left. */
  readonly refocus?: number;
  /** What follows the last row, such as an error. */
  readonly foot?: ReactNode;
}

const rowHeight = 44;
/** Of rows of two lines. */
const tallRowHeight = 54;
const narrowRowHeight = 84;
const headHeight = 36;
/** Rows before the end at which the next page is fetched. */
const ahead = 15;

/** How far down each list was when it was left. Bounded: there are as many as filters that were tried. */
const offsets = new Map<string, number>();
const mostOffsets = 50;

function remember(name: string, offset: number): void {
  offsets.delete(name);
  offsets.set(name, offset);
  const oldest = offsets.keys().next();
  if (offsets.size > mostOffsets && !oldest.done) offsets.delete(oldest.value);
}

/**
 * A table of any length, of which only the rows in view are in the page. Rows are reached with the
 * arrow keys and opened with Enter or a click; links and buttons in them work as ever.
 */
export function VirtualTable<T>(p: VirtualTableProps<T>) {
  const { rows, columns, rowKey, memory, onMore, hasMore, toTop = 0 } = p;
  const scroll = useRef<HTMLDivElement>(null);
  const isNarrow = useMediaQuery('(max-width: 62em)', false, { getInitialValueInEffect: false });
  const height = isNarrow ? narrowRowHeight : p.tall ? tallRowHeight : rowHeight;
  // The virtualizer renders by itself when the list scrolls; nothing here is memoised.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => height,
    getItemKey: (i) => rowKey(rows[i] as T),
    overscan: 6,
    scrollMargin: isNarrow ? 0 : headHeight,
    scrollPaddingStart: isNarrow ? 0 : headHeight,
    initialOffset: () => offsets.get(memory) ?? 0,
  });
  useEffect(() => virtual.measure(), [virtual, height]);
  useEffect(() => {
    if (toTop > 0) scroll.current?.scrollTo({ top: 0 });
  }, [toTop]);
  useEffect(() => {
    const element = scroll.current;
    return () => remember(memory, element?.scrollTop ?? 0);
  }, [memory]);

  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (hasMore && last >= rows.length - ahead) onMore();
  }, [hasMore, last, rows.length, onMore]);

  const keys = useRowKeys(p, virtual, scroll);
  const tracks = isNarrow ? '1fr' : columns.map((c) => c.width).join(' ');
  return (
    // The rows take the focus, one at a time.
    // eslint-disable-next-line jsx-a11y/interactive-supports-focus
    <div ref={scroll} className={classes.scroll} role="grid" aria-label={p.label} aria-rowcount={hasMore ? -1 : rows.length + 1}
      aria-colcount={isNarrow ? 1 : columns.length} onKeyDown={keys.onKeyDown} data-narrow={isNarrow || undefined}>
      <div role="presentation" className={classes.inner}>
        <div role="rowgroup" className={isNarrow ? classes.away : classes.head}>
          <div role="row" aria-rowindex={1} className={classes.row} style={{ gridTemplateColumns: tracks, height: headHeight }}>
            {isNarrow
              ? <div role="columnheader">{p.label}</div>
              : columns.map((c) => (
                <div key={c.key} role="columnheader" className={classes.cell} data-align={c.align} aria-sort={c.sorted ? 'descending' : undefined}>
                  <span className={c.quiet ? classes.quiet : undefined}>{c.title}</span>
                  {c.sorted && <span aria-hidden="true"> ↓</span>}
                </div>
              ))}
          </div>
        </div>
        <div role="rowgroup" className={classes.body} style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index] as T;
            return (
              <div key={item.key} role="row" aria-rowindex={item.index + 2} data-index={item.index} className={classes.row}
                tabIndex={item.index === keys.active ? 0 : -1} onFocus={() => keys.setActive(item.index)}
                onClick={(e) => { if (!onSomethingElse(e)) p.onOpen(row); }}
                onKeyDown={(e) => {
                  if (e.target !== e.currentTarget || e.ctrlKey || e.metaKey || e.altKey) return;
                  if (e.key === 'Enter') p.onOpen(row);
                  else if (p.onKey?.(row, e.code)) e.preventDefault();
                }}
                style={{ gridTemplateColumns: tracks, height: item.size, transform: `translateY(${item.start - virtual.options.scrollMargin}px)` }}>
                {isNarrow
                  ? <div role="gridcell" className={classes.cell}>{p.narrow(row)}</div>
                  : columns.map((c) => <div key={c.key} role="gridcell" className={classes.cell} data-align={c.align}>{c.cell(row)}</div>)}
              </div>
            );
          })}
        </div>
      </div>
      {p.foot}
    </div>
  );
}

/** A click that meant a link, a button, or the text that was being selected. */
function onSomethingElse(e: MouseEvent): boolean {
  if (!(e.target instanceof Element) || !e.currentTarget.contains(e.target)) return true;
  const inner = e.target.closest('a, button, [role="menu"]');
  return inner !== null || (getSelection()?.toString() ?? '') !== '';
}

/** Moves the focus from row to row, also to rows that are not in the page yet. */
function useRowKeys<T>(p: VirtualTableProps<T>, virtual: { scrollToIndex: (i: number) => void; range: { startIndex: number; endIndex: number } | null },
  scroll: React.RefObject<HTMLDivElement | null>) {
  const [wanted, setActive] = useState(0);
  const active = Math.min(wanted, Math.max(0, p.rows.length - 1));
  const focus = (index: number) => {
    setActive(index);
    virtual.scrollToIndex(index);
    // The row is there after the list has scrolled to it.
    let tries = 0;
    const take = () => {
      const row = scroll.current?.querySelector<HTMLElement>(`[role="row"][data-index="${index}"]`);
      if (row) row.focus({ preventScroll: true });
      else if (tries++ < 10) requestAnimationFrame(take);
    };
    requestAnimationFrame(take);
  };
  useRefocus(p.refocus ?? 0, scroll, () => { if (p.rows.length > 0) focus(active); });
  const onKeyDown = (e: KeyboardEvent) => {
    // Menus and dialogs of a row are drawn elsewhere, but their keys arrive here, too.
    if (!(e.target instanceof HTMLElement) || !scroll.current?.contains(e.target) || p.rows.length === 0) return;
    const page = Math.max(1, (virtual.range?.endIndex ?? 0) - (virtual.range?.startIndex ?? 0) - 1);
    const to = target(e.key, active, page, p.rows.length);
    if (to !== null) {
      e.preventDefault();
      focus(to);
    }
  };
  return { active, setActive, onKeyDown };
}

/** Takes the focus when it was asked for and has gone: a row that is removed drops it, a render or two later. */
function useRefocus(asked: number, scroll: React.RefObject<HTMLElement | null>, take: () => void): void {
  const answered = useRef(asked);
  const wanted = useRef(false);
  useEffect(() => {
    if (asked > answered.current) wanted.current = true;
    answered.current = asked;
    if (!wanted.current) return;
    const at = document.activeElement;
    if (at !== null && at !== document.body && scroll.current?.contains(at)) return;
    wanted.current = false;
    if (at === null || at === document.body) take();
  });
}

function target(key: string, from: number, page: number, count: number): number | null {
  const clamp = (i: number) => Math.max(0, Math.min(count - 1, i));
  switch (key) {
    case 'ArrowDown':
      return clamp(from + 1);
    case 'ArrowUp':
      return clamp(from - 1);
    case 'PageDown':
      return clamp(from + page);
    case 'PageUp':
      return clamp(from - page);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}
