import { misfitsOf, type Misfit } from '../../events/drift.js';
import { ownFieldsOf } from '../../events/event-facts.js';
import { factsFor } from '../decide.js';
import { nearestName } from '../check/nearest-name.js';
import type { Rule, RuleSet } from '../rule-set.js';
import { judgeEvent } from '../trial/judged-event.js';
import type { Run } from '../trial/run.js';
import { RuleFolderParts, type StoredRuleFiles } from '../trial/stored-rule-files.js';
import { readTried, type TriedEvent } from '../trial/tried-event.js';
import { FailingConditions, type LookedEvent } from './failing-conditions.js';
import type { RadarFinding } from './finding.js';
import { isWatched } from './silent-rules.js';
import { leavesOf, mayMatch, wantedTexts } from './unread-values.js';

/** The live rule set, and the stored events that it is looked at with. Plain JSON. */
export interface RadarOrder {
  readonly kind: 'radar';
  readonly stored: StoredRuleFiles;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly timezone: string;
}

/** What stored events show of the live rules. Plain JSON. */
export interface RadarAnswer {
  readonly looked: number;
  readonly left: number;
  readonly findings: readonly RadarFinding[];
}

/** A value of a topic is told from so many events on. */
const LEAST_EVENTS = 5;
const MOST_OF_KIND = 100;

export async function openRadar({ stored, now, timezone }: RadarOrder): Promise<Run<RadarAnswer>> {
  const folder = new RuleFolderParts(stored);
  const ruleSet = await folder.build(stored.hash, folder.check(folder.files, null));
  return new RadarRun(ruleSet, now, timezone);
}

interface Seen {
  count: number;
  from: LookedEvent;
  readonly until: LookedEvent;
}

type SeenMisfit = Seen & { readonly misfit: Misfit };

class RadarRun implements Run<RadarAnswer> {
  private readonly watched: RuleSet;
  private readonly failing: FailingConditions;
  /** By event type and value. */
  private readonly topics = new Map<string, Map<string, Seen>>();
  private readonly misfits = new Map<string, SeenMisfit>();
  private looked = 0;
  private left = 0;

  constructor(
    private readonly ruleSet: RuleSet,
    private readonly now: number,
    timezone: string,
  ) {
    this.watched = ruleSet.withRules(ruleSet.rules.filter((rule) => isWatched(rule, now, timezone)));
    this.failing = new FailingConditions(this.watched);
  }

  get wants(): Run<RadarAnswer>['wants'] {
    return { trigger: [...new Set(this.ruleSet.rules.flatMap(({ trigger }) => trigger))], stateReads: [] };
  }

  async take(events: readonly TriedEvent[], left: number): Promise<void> {
    this.left += left;
    for (const tried of events) {
      try {
        await this.look(tried);
      } catch {
        // Whatever one event holds, the others are looked at.
        this.left += 1;
      }
    }
  }

  answer(): RadarAnswer {
    const findings = [...this.unread(), ...this.unknown(), ...this.failing.findings()];
    const kept = new Map<string, number>();
    return {
      looked: this.looked,
      left: this.left,
      findings: findings
        .sort((a, b) => b.count - a.count)
        .filter(({ kind }) => {
          const count = (kept.get(kind) ?? 0) + 1;
          kept.set(kind, count);
          return count <= MOST_OF_KIND;
        }),
    };
  }

  private async look(tried: TriedEvent): Promise<void> {
    const { event } = tried;
    const { id, eventType, receivedAt, origin } = event;
    const about: LookedEvent = { id, eventType, receivedAt };
    const { catalogue } = this.ruleSet;
    const entry = catalogue.find(eventType);
    const fields = ownFieldsOf(event);
    this.looked += 1;
    for (const misfit of misfitsOf(entry, { origin, fields }))
      if (misfit.kind === 'unknown value') {
        const key = JSON.stringify([eventType, misfit.field, misfit.value]);
        const known = this.misfits.get(key);
        if (known) seenAgain(known, about);
        else this.misfits.set(key, { misfit, count: 1, from: about, until: about });
      }
    const topic = entry?.topic === undefined ? undefined : fields.get(entry.topic);
    if (typeof topic === 'string' && topic !== '') this.noteTopic(eventType, topic, about);
    if (!this.watched.rules.some((rule) => rule.listensTo(eventType))) return;
    const read = readTried(tried, catalogue);
    const judged = await judgeEvent(this.watched, read);
    if (!judged) return;
    const facts = factsFor(this.watched, read.subject.facts, read.inputs);
    this.failing.add(about, judged.rules, facts, read.inputs.now);
  }

  private noteTopic(eventType: string, value: string, about: LookedEvent): void {
    let values = this.topics.get(eventType);
    if (!values) this.topics.set(eventType, (values = new Map<string, Seen>()));
    const known = values.get(value);
    if (known) seenAgain(known, about);
    else if (values.size < 1000) values.set(value, { count: 1, from: about, until: about });
  }

  private unread(): RadarFinding[] {
    return [...this.topics].flatMap(([eventType, values]) => {
      const entry = this.ruleSet.catalogue.find(eventType);
      const field = entry?.topic;
      const listening = this.ruleSet.rules.filter((rule) => rule.enabled && rule.listensTo(eventType));
      // A type that nobody listens to may be there for the state alone.
      if (!entry || field === undefined || listening.length === 0) return [];
      const fact = entry.fields[field]?.fact ?? field;
      const wanted = wantedTexts(listening, fact);
      return [...values].flatMap(([value, seen]): RadarFinding[] => {
        const facts = new Map([
          ['event_type', eventType],
          [fact, value],
        ]);
        if (seen.count < LEAST_EVENTS || listening.some((rule) => mayMatch(rule, facts))) return [];
        return [
          {
            kind: 'unread-value',
            subject: subjectOf(eventType, field, value),
            rules: [],
            count: seen.count,
            detail: {
              eventType,
              field,
              label: entry.fields[field]?.label ?? null,
              value: value.slice(0, 200).toWellFormed(),
              ...spanOf(seen),
              nearest: nearestName(value, wanted),
            },
          },
        ];
      });
    });
  }

  private unknown(): RadarFinding[] {
    return [...this.misfits.values()].map((seen): RadarFinding => {
      const { eventType } = seen.until;
      const { field, value, label } = seen.misfit;
      return {
        kind: 'unknown-value',
        subject: subjectOf(eventType, field ?? '', value ?? ''),
        rules: this.readersOf(eventType, field ?? ''),
        count: seen.count,
        detail: { eventType, field: field ?? '', label, value, ...spanOf(seen) },
      };
    });
  }

  /** The rules that read a field, or the state that is made of it. */
  private readersOf(eventType: string, field: string): string[] {
    const [name = field] = field.split(/[.[]/);
    const entry = this.ruleSet.catalogue.find(eventType);
    const fact = entry?.fields[name]?.fact ?? name;
    const tells = entry?.status?.field === name;
    return this.ruleSet.rules
      .filter((rule) => rule.enabled && rule.listensTo(eventType) && reads(rule, fact, tells))
      .map((rule) => rule.name);
  }
}

/** Facts that are made of statuses. */
const OF_STATUS = /^(?:task\.(?:previousStatus|transition|reopened)|process\.status|node\.)/;

function reads(rule: Rule, fact: string, tells: boolean): boolean {
  const leaves = leavesOf(rule.conditions.tree);
  if (leaves.some((leaf) => leaf.fact === fact || leaf.other?.fact === fact)) return true;
  const templates = JSON.stringify(rule.document).matchAll(/\{\{[^}]*?\bevent\.([\w-]+)/g);
  if ([...templates].some(([, name]) => name === fact)) return true;
  return tells && [...rule.stateReads].some((name) => OF_STATUS.test(name));
}

/** The latest event first: what is met again is earlier. */
function seenAgain(seen: Seen, event: LookedEvent): void {
  seen.count += 1;
  seen.from = event;
}

function spanOf({ from, until }: Seen): { from: string; until: string; eventId: string } {
  return {
    from: from.receivedAt.toISOString(),
    until: until.receivedAt.toISOString(),
    eventId: until.id,
  };
}

/** Of what an event brought, as the database can keep it. */
function subjectOf(eventType: string, field: string, value: string): string {
  return `${eventType} ${field} ${value}`.replaceAll('\u0000', '').toWellFormed().slice(0, 500);
}
