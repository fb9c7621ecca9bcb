import { openRadar, type RadarAnswer, type RadarOrder } from '../radar/radar-run.js';
import { type CasesAnswer, type CasesOrder, runRuleCases } from './rule-cases.js';
import { type HistoryAnswer, type HistoryOrder, openHistory } from './rule-history.js';
import type { Run } from './run.js';
import { openTrial, type TrialAnswer, type TrialOrder } from './trial.js';

/** What a thread is asked to find out. */
export type Order = TrialOrder | HistoryOrder | CasesOrder | RadarOrder;

export type AnswerTo<Asked extends Order> = Asked extends TrialOrder
  ? TrialAnswer
  : Asked extends HistoryOrder
    ? HistoryAnswer
    : Asked extends RadarOrder
      ? RadarAnswer
      : CasesAnswer;

export type Answer = TrialAnswer | HistoryAnswer | CasesAnswer | RadarAnswer;

/** Begins a run. In the thread that is asked: it may take as long as the edit that it is about likes. */
export async function openRun(order: Order): Promise<Run<Answer>> {
  switch (order.kind) {
    case 'trial':
      return await openTrial(order);
    case 'history':
      return await openHistory(order);
    case 'radar':
      return await openRadar(order);
    case 'cases':
      return await runRuleCases(order);
  }
}
