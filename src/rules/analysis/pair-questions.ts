import { FactView } from '../compiled-conditions.js';
import type { Rule } from '../rule-set.js';
import { canonical, printOf, type PrintedAction, type RulePrint, sendsWithin } from './action-fingerprint.js';
import type { Goal, Model } from './answer.js';
import type { Spot } from './finding-place.js';
import { holdsIn, type Inquiry, type Told } from './inquiry.js';
import { compatible, requiredIn, RequiredIndex, type RequiredValues } from './required-values.js';
import { type KnownRule, reportUndecided } from './rule-questions.js';
import { type Found, type Search, searchTypes, witnessFor } from './type-search.js';

/** A rule that can match, with what is needed to compare it with others. */
interface Party extends KnownRule {
  readonly match: Found;
  readonly print: RulePrint;
  readonly required: RequiredValues;
}

/** An action and the rule that it is of. */
interface Sender {
  readonly party: Party;
  readonly action: PrintedAction;
}

/** Whether two actions are sent for one event. */
interface Twice {
  readonly one: Sender;
  readonly other: Sender;
  readonly found: Search;
}

const CONDITIONS: Spot = { kind: 'key', path: ['conditions'] };
/** So many other rules that send the same are named for one rule. */
const MOST_NAMED = 3;
/** With so many others that send the same a rule is compared. */
const MOST_COMPARED = 300;

/** What two rules have in common: conditions that say the same, or one more than the other; actions that send the same. */
export function askOfPairs(
  inquiry: Inquiry,
  known: readonly KnownRule[],
  done: (count: number) => void,
): void {
  const parties = known.flatMap((one): Party[] =>
    one.match
      ? [
          {
            ...one,
            match: one.match,
            print: printOf(one.rule),
            required: requiredIn(one.rule.conditions.tree),
          },
        ]
      : [],
  );
  const pairs = new PairQuestions(inquiry, parties);
  parties.forEach((party, at) => {
    inquiry.expect((parties.length - at) * 4);
    pairs.ask(party);
    done(at + 1);
  });
}

class PairQuestions {
  private readonly byRule: ReadonlyMap<Rule, Party>;
  private readonly scheduled: readonly Party[];
  private readonly bySent = new Map<string, Sender[]>();
  private readonly indexes = new Map<string, RequiredIndex<Sender>>();
  private readonly views = new WeakMap<Model, FactView>();
  /** Pairs of which the more has been said. */
  private readonly told = new Set<string>();

  constructor(
    private readonly inquiry: Inquiry,
    parties: readonly Party[],
  ) {
    this.byRule = new Map(parties.map((party) => [party.rule, party]));
    this.scheduled = parties.filter(({ rule }) => rule.schedule !== null);
    for (const party of parties) {
      for (const action of party.print.actions) {
        const senders = this.bySent.get(action.content);
        if (senders) senders.push({ party, action });
        else this.bySent.set(action.content, [{ party, action }]);
      }
    }
  }

  ask(party: Party): void {
    if (this.inquiry.isSpent) {
      this.inquiry.count('ACTION_TWICE', 'cut');
      return;
    }
    const alike = this.matchedBy(party);
    const covered = this.askOfConditions(party, alike);
    // Of one that is too many, it need not be told what else it says twice.
    if (!covered) this.askOfActions(party, alike);
  }

  /** The rules that the event of one matches too, or may match; only they can say as much or more. */
  private matchedBy(party: Party): ReadonlyMap<Party, 'yes' | 'perhaps'> {
    const { rule, match } = party;
    const { eventType } = match.type;
    const view = this.viewOf(match.model);
    const { index, rules } = this.inquiry.ruleSet;
    const named = eventType ?? match.model.facts.get('event_type');
    const others = rule.schedule
      ? this.scheduled
      : index.candidates(view).flatMap((number) => {
          const other = rules[number];
          const found = other && this.byRule.get(other);
          return found && typeof named === 'string' && other.listensTo(named) ? [found] : [];
        });
    const found = new Map<Party, 'yes' | 'perhaps'>();
    for (const other of [...others].sort((a, b) => a.number - b.number)) {
      if (other === party) continue;
      const outcome = this.outcomeAt(other, match.model);
      if (outcome !== 'no') found.set(other, outcome === 'yes' ? 'yes' : 'perhaps');
    }
    this.inquiry.spend(Math.ceil(others.length / 2));
    return found;
  }

  /** True: another rule does all that this one does. */
  private askOfConditions(party: Party, alike: ReadonlyMap<Party, 'yes' | 'perhaps'>): boolean {
    let covered = false;
    let same = false;
    for (const other of alike.keys()) {
      if (covered && same) break;
      const within = isAlike(party, other) && sendsWithin(party.print, other.print);
      if (within && !covered && !this.isTold(party, other)) covered = this.askWithin(party, other);
      else if (!within && !same && other.number < party.number) same = this.askSame(party, other);
    }
    return covered;
  }

  /** Whether the other rule sends all that this one does, for each event that this one matches. */
  private askWithin(party: Party, other: Party): boolean {
    const sendsSame = party.print.sends === other.print.sends;
    const { counts } = party.print;
    // Then only the very same conditions send the same.
    if (counts && !sendsSame) return false;
    const ladder = party.rule.escalation !== null;
    const told = this.implies(party, other);
    const mutual = told === 'yes' && sendsSame ? this.implies(other, party) : 'no';
    const same = mutual === 'yes' && (!ladder || this.endSame(party, other));
    // When it is the later one's turn.
    if (same && other.number > party.number) return false;
    if (sendsSame) this.inquiry.count('RULE_SAME', same ? 'yes' : mutual === 'yes' ? 'no' : mutual);
    if (same) {
      this.reportPair('RULE_SAME', party, other);
      return true;
    }
    if (counts) return false;
    this.inquiry.count('RULE_SUBSUMED', told);
    if (told === 'yes') this.reportPair('RULE_SUBSUMED', party, other);
    else if (told === 'undecided')
      reportUndecided(
        this.inquiry,
        party.rule,
        CONDITIONS,
        `whether "${other.rule.name}" sends all that "${party.rule.name}" does`,
        'inexact',
      );
    return told === 'yes';
  }

  private askSame(party: Party, other: Party): boolean {
    const { rule, print } = party;
    if (print.sends === other.print.sends || keyOfTypes(party) !== keyOfTypes(other)) return false;
    // One that takes the place of the other on a day is meant to say the same.
    if (canonical(rule.effective) !== canonical(other.rule.effective)) return false;
    const told = this.implies(party, other);
    const both = told === 'yes' ? this.implies(other, party) : told;
    this.inquiry.count('CONDITIONS_SAME', both);
    if (both !== 'yes') return false;
    this.reportPair('CONDITIONS_SAME', party, other);
    return true;
  }

  /** Whether whatever matches the one matches the other. */
  private implies(one: Party, other: Party): Told {
    const types = new Set(other.types.map(({ key }) => key));
    if (!one.types.every(({ key }) => types.has(key))) return 'no';
    // What the other is known not to match disproves it when this one does.
    if (other.miss && one.types.some(({ key }) => key === other.miss?.type.key)) {
      if (this.outcomeAt(one, other.miss.model) === 'yes') return 'no';
    }
    if (this.outcomeAt(other, one.match.model) === 'no') return 'no';
    const [a, b] = [one.rule.conditions, other.rule.conditions];
    const found = searchTypes(
      this.inquiry,
      one.types,
      [
        { tree: a.tree, want: 'yes' },
        { tree: b.tree, want: 'not yes' },
      ],
      (model) => holdsIn(a, model) && !holdsIn(b, model),
    );
    return found.told === 'found' ? 'no' : found.told === 'none' ? 'yes' : found.told;
  }

  /** Whether what ends the ladder of the one ends that of the other: conditions that are false, not only unknown. */
  private endSame(one: Party, other: Party): boolean {
    const opposite = ({ rule }: Party): Goal => ({
      tree: { kind: 'not', child: rule.conditions.tree, name: null },
      want: 'not yes',
    });
    return [[one, other] as const, [other, one] as const].every(([ends, stands]) => {
      const goals: readonly Goal[] = [{ tree: ends.rule.conditions.tree, want: 'no' }, opposite(stands)];
      return searchTypes(this.inquiry, ends.types, goals, () => true).told === 'none';
    });
  }

  private askOfActions(party: Party, alike: ReadonlyMap<Party, 'yes' | 'perhaps'>): void {
    let named = 0;
    let compared = 0;
    let open: Twice | null = null;
    const seen = new Set<Party>();
    for (const action of party.print.actions) {
      for (const other of this.othersSending(party, action)) {
        if (seen.has(other.party) || this.isTold(party, other.party) || !mayMeet(party, other.party))
          continue;
        if (named >= MOST_NAMED) break;
        if (this.inquiry.isSpent || compared >= MOST_COMPARED) {
          this.inquiry.count('ACTION_TWICE', 'cut');
          return;
        }
        seen.add(other.party);
        compared += 1;
        const twice = this.askTwice({ party, action }, other, alike.get(other.party) === 'yes');
        if (twice.found.told === 'found') named += 1;
        else if (twice.found.told === 'undecided') open ??= twice;
      }
    }
    if (open) this.reportOpen(open);
  }

  /** Those before it, and that may match the same event by what they require. */
  private *othersSending(party: Party, { content }: PrintedAction): Generator<Sender> {
    const senders = this.bySent.get(content) ?? [];
    if (senders.length < 2) return;
    let index = this.indexes.get(content);
    if (!index) {
      index = new RequiredIndex(senders, (one) => one.party.required);
      this.indexes.set(content, index);
    }
    const [own] = senders.filter((one) => one.party === party);
    const found = own ? index.candidates(own) : [];
    this.inquiry.spend(Math.ceil(found.length / 50));
    for (const other of found)
      if (other.party.number < party.number && compatible(party.required, other.party.required)) yield other;
  }

  private askTwice(one: Sender, other: Sender, together: boolean): Twice {
    const senders = [one, other];
    const conditions = senders.flatMap(({ party, action }) => [
      party.rule.conditions,
      ...(action.action.when ? [action.action.when.conditions] : []),
    ]);
    const holds = (model: Model): boolean => conditions.every((each) => holdsIn(each, model));
    const keys = new Set(other.party.types.map(({ key }) => key));
    const found: Search =
      together && holds(one.party.match.model)
        ? { told: 'found' as const, ...one.party.match }
        : searchTypes(
            this.inquiry,
            one.party.types.filter(({ key }) => keys.has(key)),
            conditions.map(({ tree }): Goal => ({ tree, want: 'yes' })),
            holds,
          );
    this.inquiry.count(
      'ACTION_TWICE',
      found.told === 'found' ? 'yes' : found.told === 'none' ? 'no' : found.told,
    );
    const twice = { one, other, found };
    if (found.told !== 'found') return twice;
    const { rule } = one.party;
    const witness = witnessFor(this.inquiry, rule, found);
    this.inquiry.report({
      code: 'ACTION_TWICE',
      severity: 'info',
      rule,
      spot: { kind: 'key', path: one.action.path },
      ...(witness ? { witness } : {}),
      message: `"${rule.name}" and "${other.party.rule.name}" can both match one event, and then send the same twice: the actions "${one.action.action.name}" and "${other.action.action.name}"`,
      mend: 'Leave it to one of them, or give the other conditions that exclude it.',
    });
    return twice;
  }

  private reportOpen({ one, other, found }: Twice): void {
    if (found.told !== 'undecided') return;
    const { rule } = one.party;
    reportUndecided(
      this.inquiry,
      rule,
      { kind: 'key', path: one.action.path },
      `whether "${rule.name}" and "${other.party.rule.name}" send the same for one event`,
      found.reason,
    );
  }

  private reportPair(
    code: 'RULE_SAME' | 'RULE_SUBSUMED' | 'CONDITIONS_SAME',
    party: Party,
    other: Party,
  ): void {
    if (code !== 'CONDITIONS_SAME') this.told.add(pairOf(party, other));
    const later = party.number > other.number ? party : other;
    const witness = witnessFor(this.inquiry, party.rule, party.match);
    const [name, others] = [party.rule.name, other.rule.name];
    this.inquiry.report({
      code,
      severity: code === 'CONDITIONS_SAME' ? 'info' : 'warning',
      rule: later.rule,
      spot: CONDITIONS,
      ...(witness ? { witness } : {}),
      ...(code === 'RULE_SAME'
        ? {
            message: `"${name}" and "${others}" match the same events and send the same`,
            mend: 'Remove one of the two.',
          }
        : code === 'RULE_SUBSUMED'
          ? {
              message: `every event that "${name}" matches is matched by "${others}" too, which sends the same`,
              mend: `Remove "${name}", or narrow the conditions of "${others}".`,
            }
          : {
              message: `"${name}" and "${others}" match the same events and send different things`,
              mend: 'One rule can have all the actions.',
            }),
    });
  }

  private outcomeAt({ rule }: Party, model: Model): 'yes' | 'no' | 'unknown' | 'error' {
    try {
      return rule.conditions.evaluateView(this.viewOf(model), model);
    } catch {
      return 'error';
    }
  }

  private viewOf(model: Model): FactView {
    let view = this.views.get(model);
    if (!view) this.views.set(model, (view = new FactView(this.inquiry.ruleSet.places.places, model.facts)));
    return view;
  }

  private isTold(one: Party, other: Party): boolean {
    return this.told.has(pairOf(one, other));
  }
}

function pairOf(one: Party, other: Party): string {
  return `${Math.min(one.number, other.number)} ${Math.max(one.number, other.number)}`;
}

function keyOfTypes({ types }: Party): string {
  return types
    .map(({ key }) => key)
    .sort()
    .join();
}

/** Whether they send as often and at the same times. */
function isAlike(one: Party, other: Party): boolean {
  return one.print.gates === other.print.gates;
}

/** Whether both can be asked about one event at one time. */
function mayMeet({ rule: one }: Party, { rule: other }: Party): boolean {
  if (canonical(one.schedule) !== canonical(other.schedule)) return false;
  return !one.effective || !other.effective || canonical(one.effective) === canonical(other.effective);
}
