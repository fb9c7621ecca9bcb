import type { Language } from '../../words/words.js';

type Both = readonly [en: string, zh: string];

/** Why a delivery stands as it does, or how an attempt ended, in a few words. The codes are those of docs/errors.md. */
const CODES: Readonly<Record<string, Both>> = {
  // Held by a brake.
  BRAKE_BUDGET: ["The rule's budget is used up: the brake holds it", '规则的额度已用完，刹车将其暂扣'],
  BRAKE_STORM: [
    'All rules together have sent what the storm brake allows',
    '所有规则的发送总量已达风暴刹车上限',
  ],
  // Taken out.
  CANCELLED: ['A person took it out before it was sent', '发送前由人工取消'],
  DISCARDED: ['A person decided that it is not sent after all', '由人工决定不再发送'],
  REPLACED: ['Redriven edited: another delivery is in its place', '已重新生成内容重投，由另一条投递取代'],
  ERASED: ['Its event was erased before it was sent', '发送前其事件已被清除'],
  RECALLED: ['What its rule sent was recalled', '其规则的投递已召回'],
  // Of recalls.
  RECALL_NO_UNDO: ['Its action declares no undo', '其动作未声明撤销动作'],
  RECALL_FACTS_GONE: ['What it was made of is not kept, or was erased', '其依据未保留或已清除'],
  RECALL_UNDO_NOT_RENDERED: ['Its undo reads what was not recorded', '撤销动作读取了未记录的值'],
  RECALL_DIGEST: ['A digest tells of several events', '汇总涉及多个事件'],
  RECALL_RULE_ERROR: ['The mended rule fails for its event', '修正后的规则对其事件出错'],
  RECALL_SUPERSEDED: ['Another one went in its place', '已由另一条取代'],
  RECALL_UNDONE_BEFORE: ['An earlier recall has taken it back', '此前的召回已撤销'],
  EVENT_UNDECIDED: ['No rule was asked about the event', '该事件未经规则求值'],
  EVENT_ERASED: ['What the event held was erased', '事件内容已清除'],
  EVENT_UNKNOWN: ['The event is not there any more', '事件已不存在'],
  EVENT_NOT_READ: ['What is stored of the event cannot be read', '事件的存储内容无法读取'],
  REPLAY_OF_A_TURN: ['What was open at the turn of a schedule is not kept', '定时计划当时的对象未保留'],
  REPLAY_REFUSED: ['The database refuses what comes of the event', '数据库拒绝该事件的结果'],
  REPLAY_GIVEN_UP: ['The event was begun three times and never done', '该事件已尝试三次仍未完成'],
  REPLAY_INTERRUPTED: ['It was interrupted and goes on by itself', '曾中断，将自动继续'],
  RULE_GONE: ['The rule or its action is gone or switched off', '规则或其动作已不存在或已停用'],
  DIGEST_EMPTY: ['All that the digest had gathered was erased', '汇总所收集的内容已全部清除'],
  DIGEST_FAILED: ["The digest's message could not be made", '无法生成汇总消息'],
  // What could not be made, or must not be sent.
  TEMPLATE_VALUE_MISSING: ['A template reads what is not there', '模板读取的值不存在'],
  TEMPLATE_VALUE_TOO_LARGE: ['A value is too deep or too long to send', '值过深或过长，无法发送'],
  TEMPLATE_VALUE_UNFIT: ['A value does not fit its filter', '值不适用于该过滤器'],
  URL_INVALID: ['The URL is none, or climbs out of its path', 'URL 无效或越出其路径'],
  ADDRESS_INVALID: [
    'Not one plain address, or a domain that is not allowed',
    '收件地址无效，或其域名不被允许',
  ],
  ADDRESS_FORBIDDEN: [
    'A private address that OUTBOUND_ALLOW does not name',
    '内网地址，且未列入 OUTBOUND_ALLOW',
  ],
  HEADER_INVALID: ['A header with characters that HTTP does not carry', '请求头含有 HTTP 不允许的字符'],
  REQUEST_INVALID: ['The request is not proper HTTP', '请求不是合法的 HTTP'],
  REQUEST_MISSING: ['It was never rendered', '从未生成请求内容'],
  SECRET_MISSING: ['A secret that it needs is not set', '所需的密钥未设置'],
  SIGNING_KEY_INVALID: ['The signing secret holds no key', '签名密钥中没有有效的密钥'],
  // What the target said, or did not.
  REDIRECT: ['The target redirects: use the final URL', '目标发生重定向：请使用最终 URL'],
  ANSWER_NOT_SUCCESS: ['The answer is not what the rule calls success', '应答不符合规则定义的成功'],
  ANSWER_HEADERS_TOO_LARGE: ['The answer has too many headers', '应答头过大'],
  ANSWER_BROKEN: ['The answer is not proper HTTP', '应答不是合法的 HTTP'],
  TARGET_REFUSED: ['Connection refused', '连接被拒绝'],
  TARGET_RESET: ['Connection lost before the whole answer', '应答完成前连接断开'],
  TARGET_TIMEOUT: ['No answer in time', '超时未应答'],
  TARGET_UNREACHABLE: ['No route to the target', '目标网络不可达'],
  TARGET_FAILED: ['Another trouble of the network', '其他网络故障'],
  NAME_NOT_FOUND: ['The host name does not exist', '主机名不存在'],
  NAME_LOOKUP_FAILED: ['The name could not be looked up', '域名解析失败'],
  TLS_FAILED: ['The certificate does not hold', '证书校验失败'],
  PROXY_FAILED: ['The proxy made no connection', '代理未能建立连接'],
  SENDER_CLOSED: ['The service was stopping', '服务正在停止'],
  SENDER_FAILED: ['A bug of the service: its log has it', '服务内部错误，详见日志'],
  INSTANCE_LOST: ['The instance that was sending died', '发送中的实例已中断'],
  RETRIES_USED_UP: ['The retry schedule has ended', '重试计划已用完'],
  // Feishu.
  FEISHU_THROTTLED: ['A limit of Feishu is used up', '飞书频率限制已用完'],
  FEISHU_FAILED: ['Feishu answered with an error code', '飞书返回错误码'],
  FEISHU_REFUSED: ['Feishu refused', '飞书拒绝'],
  FEISHU_REQUEST_REFUSED: ['Feishu does not understand what was sent', '飞书无法识别请求'],
  FEISHU_TOKEN_REFUSED: ['Feishu does not take the tenant token', '飞书不接受租户令牌'],
  FEISHU_APP_REFUSED: ['Id or secret of the app is wrong', '应用编号或密钥错误'],
  FEISHU_APP_SECRET_MISSING: ['The app has no id or no secret', '应用缺少编号或密钥'],
  FEISHU_APP_UNKNOWN: ['No such app, or it is not clear which', '没有该应用，或无法确定是哪一个'],
  FEISHU_HOST_MISMATCH: ["The URL is not at the app's domain", 'URL 不属于该应用的域名'],
  FEISHU_MESSAGE_TOO_LARGE: ['The message is larger than Feishu takes', '消息超过飞书上限'],
  FEISHU_BOT_UNKNOWN: ['The bot was removed, or its address is wrong', '机器人已移除或地址错误'],
  FEISHU_SIGN_REFUSED: ['Wrong signing secret, or the clock is off', '签名密钥错误或时钟偏差过大'],
  FEISHU_IP_REFUSED: ['The bot allows other addresses only', '机器人不允许此 IP'],
  FEISHU_KEYWORD_MISSING: ["The message lacks the bot's keyword", '消息缺少机器人要求的关键词'],
  // Mail.
  SMTP_NOT_CONFIGURED: ['SMTP_URL is not set', '未设置 SMTP_URL'],
  SMTP_AUTH_FAILED: ['Wrong user or password of the mail server', '邮件服务器的用户名或密码错误'],
  SMTP_UNREACHABLE: ['The mail server cannot be reached', '无法连接邮件服务器'],
  SMTP_TIMEOUT: ['The mail server did not answer in time', '邮件服务器超时未应答'],
  SMTP_TLS_FAILED: ["The mail server's certificate does not hold", '邮件服务器证书校验失败'],
  SMTP_DEFERRED: ['The mail server asks to come again later', '邮件服务器要求稍后再试'],
  SMTP_BUSY: ['The mail server wants no session now', '邮件服务器暂不接受会话'],
  SMTP_REFUSED: ['The mail server refused the mail', '邮件服务器拒收'],
  RECIPIENT_REFUSED: ['A recipient was refused; the others got the mail', '部分收件人被拒，其余已收到'],
  MAIL_INVALID: ['The mail cannot be sent as it is', '邮件无法按现状发送'],
  // What an act on many left out.
  DELIVERY_STATE: ['In another state by now', '状态已改变'],
  DELIVERY_NOT_RENDERED: ['Has nothing that could be sent', '没有可发送的内容'],
  DELIVERY_UNKNOWN: ['Is not there any more', '投递已不存在'],
  REDRIVE_RULE_GONE: ['The rule, action or step is not live any more', '规则、动作或步骤已不在生效规则集中'],
  REDRIVE_NOT_RENDERED: [
    "Today's action cannot be rendered from what was recorded",
    '无法用当前动作重新生成',
  ],
  REDRIVE_FACTS_GONE: ['What it was made of is not kept', '生成所依据的事实未保留'],
};

const HTTP: readonly (readonly [RegExp, Both])[] = [
  [/^HTTP_408$/, ['The target timed out (408)', '目标超时（408）']],
  [/^HTTP_429$/, ['The target wants fewer requests (429)', '目标要求降低频率（429）']],
  [/^HTTP_4\d\d$/, ['The target refused', '目标拒绝']],
  [/^HTTP_5\d\d$/, ['The target failed', '目标出错']],
];

/** What a code says in a few words; null: it is not known here, and stands for itself. */
export function codeWords(code: string, language: Language): string | null {
  const both =
    (Object.hasOwn(CODES, code) ? CODES[code] : undefined) ??
    HTTP.find(([pattern]) => pattern.test(code))?.[1];
  return both?.[language === 'en' ? 0 : 1] ?? null;
}

/** The same of an occasion, of which a part may be a name: `step:<rule>:<step>`. */
export function occasionWords(occasion: string, language: Language): string | null {
  const both = OCCASIONS.find(([begin]) => occasion === begin || occasion.startsWith(`${begin}:`))?.[1];
  return both?.[language === 'en' ? 0 : 1] ?? null;
}

const OCCASIONS: readonly (readonly [string, Both])[] = [
  ['live', ['Live', '实时']],
  ['settle', ['A fact was settled later', '事实补齐']],
  ['replay', ['Replay', '重放']],
  ['recall', ['Recall', '召回']],
  ['step', ['Step of an escalation', '升级步骤']],
  ['notice', ['Message to an owner', '通知负责方']],
];
