import type { Language } from './words.js';

/** The most frequent refusals in a few words; what the service says of the case at hand stays below. */
const PROBLEMS: Readonly<Record<string, readonly [en: string, zh: string]>> = {
  NO_ANSWER: ['The service does not answer', '服务没有应答'],
  BUSY: ['Something like it is under way: try again in a moment', '同类操作正在进行，请稍后重试'],
  INTERNAL: ['The service has made a mistake: its log has it', '服务内部错误，详见日志'],
  NOT_FOUND: ['There is nothing here', '没有找到'],
  REQUEST_INVALID: ['What was given does not fit', '输入不符合要求'],
  REQUEST_TIMEOUT: ['The request took too long', '请求超时'],
  BODY_TOO_LARGE: ['Too much at once', '内容过大'],
  CURSOR_INVALID: ['The list has to begin anew', '列表需要重新加载'],
  STATUS_UNKNOWN: ['No event type has such a status', '没有该状态'],
  // Signing in, and rights.
  LOGIN_REQUIRED: ['Sign in first', '请先登录'],
  LOGIN_FAILED: ['The name or the password is wrong', '用户名或密码错误'],
  LOGIN_BLOCKED: ['Too many wrong passwords: wait a while', '密码错误次数过多，请稍后再试'],
  LOGIN_BUSY: ['Too many are signing in: try again in a moment', '登录人数过多，请稍后重试'],
  SESSION_EXPIRED: ['The session has ended: sign in again', '会话已结束，请重新登录'],
  TOKEN_EXPIRED: ['The token has ended', '令牌已失效'],
  CSRF: ['You signed in elsewhere meanwhile: try again', '会话已在别处更新，请重试'],
  ROLE_MISSING: ['Your role may not do this', '您的角色无权执行此操作'],
  PASSWORD_CHANGE_REQUIRED: ['Change the one-time password first', '请先修改一次性密码'],
  PASSWORD_WRONG: ['The current password is another', '当前密码不正确'],
  OWN_PASSWORD: ['One’s own password is changed in the account menu', '自己的密码请在账户菜单中修改'],
  USER_EXISTS: ['There is a user of that name', '用户名已存在'],
  USER_UNKNOWN: ['There is no such user', '没有该用户'],
  USER_DISABLED: ['The user is disabled', '用户已停用'],
  USER_OF_PROVIDER: ['The OpenID provider has role and password', '角色与密码由 OpenID 提供方决定'],
  LAST_ADMIN: ['Nobody else could administer', '这是最后一位管理员'],
  TOKEN_UNKNOWN: ['There is no such token', '没有该令牌'],
  OIDC_NOT_CONFIGURED: ['No OpenID provider is set', '未配置 OpenID 提供方'],
  OIDC_UNREACHABLE: ['The OpenID provider does not answer', 'OpenID 提供方没有应答'],
  OIDC_FLOW_UNKNOWN: [
    'The sign-in took too long, or was begun in another browser',
    '登录用时过长，或在另一浏览器中发起',
  ],
  OIDC_REFUSED: ['The OpenID provider refused the sign-in', 'OpenID 提供方拒绝登录'],
  OIDC_NO_ROLE: ['You have no role here: ask who administers', '您在此没有角色，请联系管理员'],
  // What was asked for.
  EVENT_UNKNOWN: ['There is no such event', '没有该事件'],
  EVENT_AMBIGUOUS: ['Several events have that id', '多个事件使用该编号'],
  EVENT_ERASED: ['What the event held was erased', '事件内容已清除'],
  EVENT_UNDECIDED: ['The event is not decided yet', '事件尚未求值'],
  ENTITY_UNKNOWN: ['Nothing is known of it', '没有相关记录'],
  DELIVERY_UNKNOWN: ['There is no such delivery', '没有该投递'],
  DELIVERY_STATE: ['Its state has changed: this cannot be done now', '状态已改变，当前无法执行'],
  DELIVERY_NOT_RENDERED: ['It has nothing that could be sent', '没有可发送的内容'],
  REDRIVE_RULE_GONE: ['The rule or action is not live any more', '规则或动作已不在生效规则集中'],
  REDRIVE_NOT_RENDERED: ["Today's action cannot be rendered", '无法用当前动作重新生成'],
  REDRIVE_FACTS_GONE: ['What it was made of is not kept', '生成所依据的事实未保留'],
  BACKTEST_UNKNOWN: ['There is no such back-test', '没有该回测'],
  BACKTEST_ENDED: ['The back-test has ended already', '回测已结束'],
  RULE_UNKNOWN: ['There is no such rule', '没有该规则'],
  RULE_SET_UNKNOWN: ['There is no such rule set', '没有该规则集'],
  RULES_NONE: ['No rule set is live', '没有生效的规则集'],
  SILENCE_UNKNOWN: ['There is no such silence', '没有该静默'],
  SILENCE_ENDED: ['The silence has ended already', '静默已结束'],
  SILENCES_FULL: ['There are too many silences', '静默数量已达上限'],
  TIMER_UNKNOWN: ['There is no such timer', '没有该定时器'],
  TIMER_STATE: ['The timer has no step to come', '定时器没有待执行的步骤'],
  REPORT_TOO_LONG: ['It took too long: ask for less time', '耗时过长，请缩短时间范围'],
  DRILL_NOT_HERE: ['This instance sends nothing', '此实例不负责发送'],
  STREAM_FULL: ['Too many listen already', '实时连接数已满'],
};

/** Null: the code is not known here, and stands for itself. */
export function problemWords(code: string, language: Language): string | null {
  const both = Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code] : undefined;
  return both?.[language === 'en' ? 0 : 1] ?? null;
}
