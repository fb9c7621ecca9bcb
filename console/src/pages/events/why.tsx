import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { ExplainedLeaf, Label, RuleExplanation } from '../../api/types.js';
import type { Standing } from '../../parts/marks.js';
import { useLabel, useWords } from '../../words/words.js';
import { Value } from './values.js';
import { EVENTS } from './words.js';

/** How a rule stands to the event: its verdict, and a near miss apart. */
export function standingOf({ verdict, nearMiss }: RuleExplanation): Standing {
  return nearMiss ? 'near miss' : verdict.verdict;
}

/** `body.items.0`: a fact, and the place within it. */
export function placeOf(fact: string, path: readonly string[] | null): string {
  return path === null || path.length === 0 ? fact : `${fact}.${path.join('.')}`;
}

/** What the catalogue calls a fact, and its name in rules. */
export function FactName({
  fact,
  path = null,
  label,
}: {
  readonly fact: string;
  readonly path?: readonly string[] | null;
  readonly label: Label | null;
}) {
  const name = useLabel()(label);
  const place = placeOf(fact, path);
  return (
    <>
      {name !== null && name !== place && (
        <Text span inherit fw={600}>
          {name}{' '}
        </Text>
      )}
      <Text span ff="monospace" fz="0.88em" className="quiet" style={{ overflowWrap: 'anywhere' }}>
        <bdi>{place}</bdi>
      </Text>
    </>
  );
}

/** Whether 3 and "3" would look the same, and are not. */
export function needsExact({ actual, expected }: Pick<ExplainedLeaf, 'actual' | 'expected'>): boolean {
  const one = Array.isArray(expected) ? (expected[0] as unknown) : expected;
  return actual !== undefined && one !== undefined && typeof actual !== typeof one;
}

/** What a leaf wants: 等于 已完成 · 3. */
export function Wanted({ leaf }: { readonly leaf: ExplainedLeaf }) {
  const say = useLabel();
  return (
    <>
      {say(leaf.labels.operator)}{' '}
      {leaf.other && (
        <>
          <FactName fact={leaf.other.fact} path={leaf.other.path} label={leaf.labels.other} />
          {' = '}
        </>
      )}
      <Value value={leaf.expected} label={leaf.labels.expected} exact={needsExact(leaf)} />
    </>
  );
}

/** Why a rule did what it did, in one line. */
export function Why({ told, deliveries }: { readonly told: RuleExplanation; readonly deliveries: number }) {
  const w = useWords(EVENTS);
  const { verdict, failing, missing } = told;
  switch (verdict.verdict) {
    case 'matched':
      return <>{`${w.allHold(leavesOf(told.tree))} → ${w.deliveriesOut(deliveries)}`}</>;
    case 'skipped':
      return <>{skipText(verdict.cause, w)}</>;
    case 'error':
      return <span className="anywhere">{verdict.error}</span>;
    case 'not listening':
      return <>{w.notListeningAbout}</>;
    case 'unknown': {
      const names = verdict.missing.length > 0 ? verdict.missing : missing;
      return (
        <>
          {w.becauseMissing}{' '}
          {names.map((name, at) => (
            <span key={name}>
              {at > 0 && ', '}
              <FactName
                fact={name}
                label={failing.find((leaf) => placeOf(leaf.fact, leaf.path) === name)?.labels.field ?? null}
              />
            </span>
          ))}
        </>
      );
    }
    case 'not matched':
      return <BecauseOf failing={failing} />;
  }
}

function skipText(
  cause: 'disabled' | 'not-yet-effective' | 'no-longer-effective',
  w: typeof EVENTS.en,
): string {
  return w[`skip ${cause}`];
}

function BecauseOf({
  failing: [first, ...others],
}: {
  readonly failing: readonly ExplainedLeaf[];
}): ReactNode {
  const w = useWords(EVENTS);
  if (!first) return null;
  return (
    <>
      <FactName fact={first.fact} path={first.path} label={first.labels.field} /> {w.is}{' '}
      <Text span inherit fw={600}>
        <Value value={first.actual} label={first.labels.actual} exact={needsExact(first)} />
      </Text>
      {w.comma}
      {first.mustHold ? w.wanted : w.wantedNot} <Wanted leaf={first} />
      {others.length > 0 && ` (${w.andMore(others.length)})`}
    </>
  );
}

function leavesOf(node: RuleExplanation['tree']): number {
  if (node.kind === 'leaf') return 1;
  return node.kind === 'not'
    ? leavesOf(node.child)
    : node.children.reduce((sum, child) => sum + leavesOf(child), 0);
}
