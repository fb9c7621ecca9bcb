// What the admin API answers, as its own schemas have it. Types only: nothing of the service is in the console.
export type { CatalogueAnswer } from '../../../src/console/api/catalogue.schema.js';
export type { CatalogueEntry, FieldDefinition, Label } from '../../../src/events/catalogue.js';
export type { Event, EventDetail, Fact } from '../../../src/console/api/events.schema.js';
export type { EventCaseAnswer } from '../../../src/console/api/event-cases.schema.js';
export type {
  ExplainedEvaluation,
  ExplainedEvaluations,
} from '../../../src/console/api/explanations.schema.js';
export type { RuleExplanation } from '../../../src/rules/explain.js';
export type { ExplainedLeaf, ExplainedNode } from '../../../src/rules/explained-tree.js';
export type { Suppression } from '../../../src/rules/evaluation-store.js';
export type {
  ActedMany,
  Attempt,
  Delivery,
  DeliveryDetail,
} from '../../../src/console/api/deliveries.schema.js';
export type {
  Entity,
  EntityNode,
  EntityStatus,
  EntityTask,
  EntityTransition,
} from '../../../src/console/api/entities.schema.js';
export type { Timer } from '../../../src/console/api/timers.schema.js';
export type { Unsettled } from '../../../src/console/api/unsettled.schema.js';
export type { Notice } from '../../../src/console/api/notices.schema.js';
export type {
  RadarAnswerBody as Radar,
  RadarFindingAnswer as RadarFinding,
  ReconciledAnswer as ReconciledProcesses,
} from '../../../src/console/api/radar.schema.js';
export type {
  Replay as ReplayOfMany,
  ReplayDetail as ReplayOfManyDetail,
  ReplayPreviewAnswer,
} from '../../../src/console/api/replays.schema.js';
export type { RecalledDelivery, RecallPreviewAnswer } from '../../../src/console/api/recalls.schema.js';
export type { Report } from '../../../src/console/api/report.schema.js';
export type { AddedSilence, NewSilence, Silence } from '../../../src/console/api/silences.schema.js';
export type { Target, Targets } from '../../../src/console/api/targets.schema.js';
export type { DrillAnswer, DrillBody } from '../../../src/console/api/drills.schema.js';
export type {
  Activated,
  Findings,
  RuleAnswer,
  Rules,
  RuleSetActivation,
  RuleSetAnswer,
  RuleSummary,
  RuleTable,
  SaidRules,
} from '../../../src/console/api/rule-sets.schema.js';
export type { Finding } from '../../../src/rules/finding.js';
export type { LoginWays, Session } from '../../../src/console/access/login.schema.js';
export type { ChangedUser, NewUser, User } from '../../../src/console/access/users.schema.js';
export type { MadeToken, NewToken, Token } from '../../../src/console/access/tokens.schema.js';
export type { AuditRow } from '../../../src/console/access/audit.schema.js';
export type { UserRole } from '../../../src/config/config.js';
export type {
  DeliveryChange,
  EventChange,
  SilenceChange,
  Topic,
  VerdictChange,
} from '../../../src/console/api/stream.schema.js';
export type { Page } from '../../../src/console/api/page.js';
export type { Drift, Overview } from '../../../src/console/api/overview.schema.js';
export type {
  RuleCases,
  RuleFile,
  RuleHistory,
  RuleVersions,
  StandingCounts,
} from '../../../src/console/api/rule-pages.schema.js';
export type { ReplayAnswer } from '../../../src/console/api/event-replays.schema.js';
export type {
  BacktestDetail,
  BacktestReportAnswer as BacktestReport,
  BacktestRow as Backtest,
  NewBacktest,
} from '../../../src/console/api/backtests.schema.js';
export type { BacktestExample } from '../../../src/rules/backtest/backtest-report.js';
export type { Trial, TrialBody } from '../../../src/console/api/trials.schema.js';
export type { ComparedDelivery, ShadowDelivery, ShadowRule } from '../../../src/console/api/shadow.schema.js';
export type { Source, Sources } from '../../../src/console/api/sources.schema.js';
