import { useElementSize, useMediaQuery } from '@mantine/hooks';
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import classes from './MapPage.module.css';
import type { Padding } from './types';

/** How much of a phone's screen the sheet takes: its head, its content up to 62 %, or up to nearly all. */
export type SheetStep = 'small' | 'fit' | 'full';
const steps: readonly SheetStep[] = ['small', 'fit', 'full'];

/** The usual least height of the sheet in pixels. */
const usualSmallPx = 96;
/** The most that `fit` takes of the page's height. */
const fitShare = 0.62;
/** The same on a page so low that little would be left for the content. */
const lowPagePx = 640;
const fitShareLow = 0.78;
const fitOf = (pageHeight: number): number => (pageHeight > 0 && pageHeight < lowPagePx ? fitShareLow : fitShare);
/** The most that `full` takes: a strip of the map stays, so that people see what the sheet lies on. */
const fullShare = 0.94;
/** The sheet's own height in pixels, above and below its content. */
const chromePx = 46;

interface MapPageProps {
  /** Draws the map; `padding` is what the sheet or panel covers. */
  readonly map: (padding: Padding) => ReactNode;
  /** The name of the sheet or panel for those who cannot see it. */
  readonly label: string;
  /** The sheet's content. */
  readonly children: ReactNode;
  /** The step to go to whenever this changes; people can choose another one. Default: fit. */
  readonly step?: SheetStep;
  /** What the sheet shows, such as a trip's status: when it changes the sheet goes to `step`, too. */
  readonly stepKey?: string;
  /** The height of the small sheet in pixels, where its head has more to show than a line. */
  readonly smallPx?: number;
}

/** A page that is a map: with a panel beside it on wide screens, and a sheet over its lower part on phones. */
export function MapPage({ map, label, children, step = 'fit', stepKey = '', smallPx = usualSmallPx }: MapPageProps) {
  const wide = useMediaQuery('(min-width: 48em)', undefined, { getInitialValueInEffect: false });
  const { ref, width, height } = useElementSize<HTMLDivElement>();
  return (
    <div className={classes.page} ref={ref}>
      {wide
        ? <Panel label={label} map={map}>{children}</Panel>
        : <Sheet label={label} map={map} step={step} stepKey={stepKey} smallPx={smallPx} pageHeight={height} key={width > 0 ? 'sized' : 'unsized'}>{children}</Sheet>}
    </div>
  );
}

const panelPadding: Padding = { left: 412 };

function Panel({ label, map, children }: Omit<MapPageProps, 'step' | 'stepKey' | 'smallPx'>) {
  return (
    <>
      <section className={classes.panel} aria-label={label}>{children}</section>
      {map(panelPadding)}
    </>
  );
}

function Sheet(p: Required<MapPageProps> & { pageHeight: number }) {
  const { t } = useTranslation('map');
  const [step, setStep] = useStep(p.step, p.stepKey);
  const { ref, height } = useElementSize<HTMLElement>();
  const { ref: contentRef, height: contentHeight } = useElementSize<HTMLDivElement>();
  const [dragged, setDragged] = useState<number | null>(null);
  const settled = useSettled(height, dragged !== null);
  // However large the sheet, some of the map is what the camera frames.
  const padding = usePaddingOf(Math.min(settled, p.pageHeight * fitOf(p.pageHeight)));

  const at = steps.indexOf(step);
  // Nothing is hidden below the fold: more room would be empty.
  const whole = contentHeight + chromePx <= p.pageHeight * fitOf(p.pageHeight);
  const smaller = step === 'full' || (step === 'fit' && whole);
  const tap = () => setStep(step === 'small' || (step === 'full' && !whole) ? 'fit' : smaller ? 'small' : 'full');
  const drag = useDrag(ref, p.pageHeight, p.smallPx, setDragged, setStep, tap);
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key === 'ArrowUp') setStep(steps[Math.min(2, at + 1)] ?? step);
    else if (e.key === 'ArrowDown') setStep(steps[Math.max(0, at - 1)] ?? step);
    else return;
    e.preventDefault();
  };
  const size = dragged !== null ? { height: dragged } : step === 'small' ? { height: p.smallPx } : step === 'full' ? fullSize(p.step) : { maxHeight: `${fitOf(p.pageHeight) * 100}%` };
  return (
    <>
      <section ref={ref} className={classes.sheet} style={size} aria-label={p.label} data-dragging={dragged !== null || undefined}>
        <button type="button" className={classes.handle} aria-expanded={step !== 'small'} onKeyDown={onKeyDown} {...drag}
          aria-label={smaller ? t('sheet.smaller') : t('sheet.larger')} onClick={(e) => { if (e.detail === 0) tap(); }}>
          <span className={classes.grip} aria-hidden="true" />
        </button>
        <div className={classes.content}><div ref={contentRef}>{p.children}</div></div>
      </section>
      {p.map(padding)}
    </>
  );
}

/** A page that asks for all of the room has a list that grows there; a person who asks wants what there is to see, and no blank. */
const fullSize = (wanted: SheetStep) => (wanted === 'full' ? { height: `${fullShare * 100}%` } : { maxHeight: `${fullShare * 100}%` });

/** The step that the page wants, until the person chooses another, until the page shows something else. */
function useStep(wanted: SheetStep, key: string) {
  const [chosen, setChosen] = useState({ step: wanted, wanted, key });
  if (chosen.wanted !== wanted || chosen.key !== key) setChosen({ step: wanted, wanted, key });
  return [chosen.step, (step: SheetStep) => setChosen({ step, wanted, key })] as const;
}

/** The height once it no longer changes, so that the map is not moved with every pixel. */
function useSettled(height: number, moving: boolean): number {
  const [settled, setSettled] = useState(height);
  useEffect(() => {
    if (moving) return;
    const waiting = setTimeout(() => setSettled(height), 120);
    return () => clearTimeout(waiting);
  }, [height, moving]);
  return settled;
}

function usePaddingOf(bottom: number): Padding {
  const rounded = Math.round(bottom);
  return useMemo(() => ({ bottom: rounded }), [rounded]);
}

/** Draws the sheet up and down by its handle, or takes a tap on it. */
function useDrag(
  sheet: React.RefObject<HTMLElement | null>, pageHeight: number, smallPx: number, setHeight: (px: number | null) => void, setStep: (s: SheetStep) => void,
  onTap: () => void,
) {
  const begun = useRef<{ y: number; height: number; moved: boolean } | null>(null);
  const heightAt = (e: PointerEvent, b: { y: number; height: number }) => Math.max(smallPx, Math.min(pageHeight * fullShare, b.height + b.y - e.clientY));
  return {
    onPointerDown: (e: PointerEvent) => {
      e.currentTarget.setPointerCapture(e.pointerId);
      begun.current = { y: e.clientY, height: sheet.current?.offsetHeight ?? 0, moved: false };
    },
    onPointerMove: (e: PointerEvent) => {
      const b = begun.current;
      if (!b || (!b.moved && Math.abs(e.clientY - b.y) < 5)) return;
      b.moved = true;
      setHeight(heightAt(e, b));
    },
    onPointerUp: (e: PointerEvent) => {
      const b = begun.current;
      begun.current = null;
      setHeight(null);
      if (!b) return;
      if (!b.moved) {
        onTap();
        return;
      }
      const share = heightAt(e, b) / Math.max(1, pageHeight);
      setStep(share > 0.72 ? 'full' : share > 0.28 ? 'fit' : 'small');
    },
    onPointerCancel: () => {
      begun.current = null;
      setHeight(null);
    },
  };
}
