import type { Catalogue } from '../../events/catalogue.js';
import type {
  BacktestDelivery,
  BacktestExample,
  BacktestReport,
} from '../../rules/backtest/backtest-report.js';
import { MASK, maskEntity, maskExplanation, maskTarget } from './personal.js';

/** A report for viewers: nothing of what stands in events, as far as it is personal, and nothing that was rendered of it. */
export function maskReport(report: BacktestReport, catalogue: Catalogue): BacktestReport {
  const targets = (some: BacktestReport['targets']): BacktestReport['targets'] =>
    some.map(({ target, counts }) => ({ target: maskTarget(target), counts }));
  return {
    ...report,
    targets: targets(report.targets),
    rules: report.rules.map((rule) => ({
      ...rule,
      targets: targets(rule.targets),
      examples: rule.examples.map((one) => maskExample(one, catalogue)),
    })),
  };
}

function maskExample(example: BacktestExample, catalogue: Catalogue): BacktestExample {
  const { entity, event, cause, before, after, fields, why } = example;
  const reason = (one: BacktestExample['why']['before']): typeof one =>
    one && event ? maskExplanation(one, event.eventType, catalogue) : null;
  return {
    ...example,
    entity: maskEntity(entity, catalogue),
    // Of a digest it is a key, and that may be any fact.
    cause: event ? cause : MASK,
    before: maskDelivery(before),
    after: maskDelivery(after),
    fields: fields.map((one) => ({
      path: one.path,
      ...('before' in one ? { before: MASK } : {}),
      ...('after' in one ? { after: MASK } : {}),
    })),
    why: { before: reason(why.before), after: reason(why.after) },
  };
}

function maskDelivery(delivery: BacktestDelivery | null): BacktestDelivery | null {
  if (!delivery) return null;
  const { target, reason } = delivery;
  return { ...delivery, target: maskTarget(target), reason: reason === null ? null : MASK, request: null };
}
