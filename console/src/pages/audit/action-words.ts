import type { Language } from '../../words/words.js';

/** Every act that stands in the audit log, and what it is called. */
export const ACTIONS = {
  'delivery.redrive': ['Deliveries redriven', '重投投递'],
  'delivery.release': ['Deliveries released', '放行投递'],
  'delivery.discard': ['Deliveries discarded', '丢弃投递'],
  'delivery.cancel': ['Deliveries cancelled', '取消投递'],
  'event.replay': ['Event replayed', '重放事件'],
  'replay.create': ['Events replayed', '重放多个事件'],
  'replay.cancel': ['Replay stopped', '停止重放'],
  'recall.create': ['Deliveries recalled', '召回投递'],
  'recall.cancel': ['Recall stopped', '停止召回'],
  'events.export': ['Events exported', '导出事件'],
  'events.import': ['Events imported', '导入事件'],
  'events.erase': ["A person's data erased", '清除个人数据'],
  'rule-set.activate': ['Rule set activated', '启用规则集'],
  'silence.add': ['Silence added', '新建静默'],
  'silence.end': ['Silence ended', '结束静默'],
  'timer.cancel': ['Timer cancelled', '取消定时器'],
  'radar.refresh': ['Radar looked', '雷达查看'],
  'radar.dismiss': ['Finding dismissed', '忽略发现'],
  'radar.reconcile': ['Lost events made up for', '补齐丢失事件'],
  'target.test': ['Targets tested', '测试目标'],
  'login.ok': ['Signed in', '登录'],
  'login.failed': ['Sign-in failed', '登录失败'],
  logout: ['Signed out', '退出登录'],
  'password.change': ['Own password changed', '修改自己的密码'],
  'user.create': ['User made', '新建用户'],
  'user.change': ['User changed', '修改用户'],
  'user.remove': ['User deleted', '删除用户'],
  'token.create': ['Token made', '新建令牌'],
  'token.revoke': ['Token revoked', '吊销令牌'],
} as const satisfies Record<string, readonly [en: string, zh: string]>;

/** Null: an act of a newer service, which stands for itself. */
export function actionWords(action: string, language: Language): string | null {
  const both = (ACTIONS as Readonly<Record<string, readonly [string, string]>>)[action];
  return Object.hasOwn(ACTIONS, action) && both ? both[language === 'en' ? 0 : 1] : null;
}
