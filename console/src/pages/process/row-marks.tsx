import type { KeyboardEvent, ReactNode } from 'react';
import type { Label } from '../../api/types.js';
import { deliveryColour } from '../../parts/marks.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { type Detail, useDetailText } from './detail.js';
import type { Bar, DeliveryMark, Mark, Phase, Row } from './layout.js';
import { statusText } from './status-text.js';
import { PROCESS } from './words.js';

interface MarksProps {
  readonly patterns: string;
  /** Its first mark is where the keyboard enters the picture. */
  readonly isFirst: boolean;
  readonly show: (detail: Detail | null) => void;
  readonly open: (path: string) => void;
  readonly say: (label: Label | null) => string | null;
}

const GLYPHS: Readonly<Record<Phase, string>> = {
  open: '•',
  done: '✓',
  rejected: '✕',
  cancelled: '–',
  ended: '■',
  unknown: '?',
};
const DELIVERY_GLYPHS: Readonly<Record<DeliveryMark['state'], string>> = {
  held: '‖',
  deferred: '◔',
  pending: '…',
  delivering: '→',
  delivered: '✓',
  dead: '✕',
  cancelled: '–',
};

/** What a row of the picture shows. */
export function RowMarks({ row, ...props }: MarksProps & { readonly row: Row }) {
  const w = useWords(PROCESS);
  const shown = useWords(SHOWN);
  switch (row.kind) {
    case 'process':
      return <Statuses row={row} name={w.process} {...props} />;
    case 'node':
      return <Statuses row={row} name={`${shown.node} ${row.node.id}`} {...props} />;
    case 'task':
      return <Statuses row={row} name={`${shown.task} ${row.task.id}`} {...props} />;
    case 'ladder':
      return <LadderMarks row={row} {...props} />;
    case 'deliveries':
      return <DeliveryMarks row={row} {...props} />;
    case 'no node':
      return null;
  }
}

/** Something with details: under the pointer, with the focus, and opened by a click or Enter. */
function Told({
  detail,
  show,
  act,
  enter = false,
  children,
}: {
  readonly detail: Detail;
  readonly show: (detail: Detail | null) => void;
  readonly act: () => void;
  readonly enter?: boolean;
  readonly children: ReactNode;
}) {
  const text = useDetailText()(detail).join('. ');
  return (
    <g
      role="link"
      data-mark=""
      className="told"
      tabIndex={enter ? 0 : -1}
      aria-label={text}
      onMouseEnter={() => {
        show(detail);
      }}
      onMouseLeave={() => {
        show(null);
      }}
      onFocus={() => {
        show(detail);
      }}
      onBlur={() => {
        show(null);
      }}
      onClick={act}
      onKeyDown={(key: KeyboardEvent) => {
        if (key.key === 'Enter') act();
        else if (key.key === 'Escape') show(null);
      }}
    >
      {children}
    </g>
  );
}

function Statuses({
  row,
  name,
  patterns,
  isFirst,
  show,
  open,
  say,
}: MarksProps & {
  readonly row: Extract<Row, { bars: readonly Bar[] }>;
  readonly name: string;
}) {
  const middle = row.height / 2;
  const below = row.y + row.height;
  return (
    <>
      {row.bars.map((bar) => {
        const isOpen = bar.phase === 'open' || bar.phase === 'unknown';
        const width = Math.max(bar.x1 - bar.x0, 2);
        const height = isOpen ? 18 : 6;
        const box = { x: bar.x0, y: middle - height / 2, width, height, rx: 3 };
        const text = statusText(bar.value, bar.label, say);
        return (
          <g
            key={bar.from}
            onMouseEnter={() => {
              show({ kind: 'bar', name, bar, x: (bar.x0 + bar.x1) / 2, y: below });
            }}
            onMouseLeave={() => {
              show(null);
            }}
          >
            <rect {...box} className="bar" data-phase={bar.phase} />
            <rect {...box} fill={`url(#${patterns}-${bar.phase})`} />
            {isOpen && width > 30 + text.length * 9 && (
              <text x={bar.x0 + 14} y={middle + 4} className="bar-text">
                {text}
              </text>
            )}
          </g>
        );
      })}
      {row.marks.map((mark, at) => (
        <Told
          key={`${mark.transition.eventId} ${at}`}
          detail={{ kind: 'mark', name, mark, x: mark.x, y: below }}
          show={show}
          enter={isFirst && at === 0}
          act={() => {
            open(`/events/${encodeURIComponent(mark.transition.eventId)}`);
          }}
        >
          <Transition mark={mark} y={middle} />
        </Told>
      ))}
    </>
  );
}

/** A round mark; a diamond where it goes against the usual order, hollow where it is told again. */
function Transition({ mark, y }: { readonly mark: Mark; readonly y: number }) {
  const { x, phase, late, transition } = mark;
  const { kind } = transition;
  return (
    <>
      {kind === 'irregular' ? (
        <path d={`M${x},${y - 11} l11,11 l-11,11 l-11,-11 z`} className="mark irregular" data-phase={phase} />
      ) : (
        <circle cx={x} cy={y} r={8.5} className="mark" data-phase={phase} data-hollow={kind === 'repeat'} />
      )}
      <text x={x} y={y + 4} className="glyph" data-hollow={kind === 'repeat'}>
        {GLYPHS[phase]}
      </text>
      {late && (
        <text x={x + 8} y={y - 6} className="late">
          ◷
        </text>
      )}
    </>
  );
}

function LadderMarks({
  row,
  isFirst,
  show,
  open,
}: MarksProps & { readonly row: Extract<Row, { kind: 'ladder' }> }) {
  const { x0, x1, dueX, steps, timer, y, height } = row;
  const middle = height / 2;
  const cancelled = timer.state === 'cancelled';
  return (
    <Told
      detail={{ kind: 'ladder', row, x: dueX ?? x1, y: y + height }}
      show={show}
      enter={isFirst}
      act={() => {
        open(`/events/${timer.eventId}`);
      }}
    >
      <rect x={x0 - 6} width={Math.max(dueX ?? x1, x1) - x0 + 14} height={height} className="catch" />
      <line x1={x0} x2={x1} y1={middle} y2={middle} className="ladder" data-state={timer.state} />
      <path d={`M${x0},${middle - 6} v12`} className="ladder" data-state={timer.state} />
      {dueX !== null && dueX > x1 && (
        <line x1={x1} x2={dueX} y1={middle} y2={middle} className="ladder to-come" />
      )}
      {steps.map((step) => (
        <g key={step.step}>
          <circle cx={step.x} cy={middle} r={8.5} className="step" />
          <text x={step.x} y={middle + 4} className="glyph">
            ✉
          </text>
        </g>
      ))}
      {dueX !== null && <circle cx={dueX} cy={middle} r={6.5} className="due" />}
      {cancelled && (
        <text x={x1} y={middle + 5} className="cancelled">
          ✕
        </text>
      )}
      {timer.state === 'finished' && <path d={`M${x1},${middle - 6} v12`} className="ladder" />}
    </Told>
  );
}

function DeliveryMarks({
  row,
  isFirst,
  show,
  open,
}: MarksProps & { readonly row: Extract<Row, { kind: 'deliveries' }> }) {
  return row.marks.map((mark, at) => {
    const { x, lane, state, deliveries } = mark;
    const y = lane * 24 + 17;
    const [first] = deliveries;
    return (
      <Told
        key={`${state} ${first?.id ?? at}`}
        detail={{ kind: 'deliveries', mark, x, y: row.y + y + 14 }}
        show={show}
        enter={isFirst && at === 0}
        act={() => {
          if (first) open(`/deliveries/${first.id}`);
        }}
      >
        <rect
          x={x - 10}
          y={y - 9}
          width={20}
          height={18}
          rx={4}
          className="sent"
          fill={`var(--mantine-color-${deliveryColour(state)}-9)`}
        />
        <text x={x} y={y + 4} className="glyph">
          {deliveries.length > 1 ? deliveries.length : DELIVERY_GLYPHS[state]}
        </text>
      </Told>
    );
  });
}
