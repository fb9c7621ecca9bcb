import type { Label } from '../../events/catalogue.js';
import type { RadarFinding } from './finding.js';
import type { Sign } from './lost-signs.js';

/** What a finding says, in one sentence of each language. */
export function findingSentence(finding: RadarFinding): Label {
  const { count } = finding;
  switch (finding.kind) {
    case 'unread-value': {
      const { eventType, field, value, from, nearest } = finding.detail;
      const times = {
        zh: `自 ${from.slice(0, 10)} 起出现 ${count} 次`,
        en: `${count} times since ${from.slice(0, 10)}`,
      };
      return {
        zh: `${field} 为 ${JSON.stringify(value)} 的 ${eventType} 事件${times.zh}，没有规则处理。${nearest === null ? '' : `规则里有相近的 ${JSON.stringify(nearest)}。`}`,
        en: `${eventType} with ${field} ${JSON.stringify(value)} came ${times.en}, and no rule reads it.${nearest === null ? '' : ` Rules read ${JSON.stringify(nearest)}, which is nearly that.`}`,
      };
    }
    case 'unknown-value': {
      const { eventType, field, value, from } = finding.detail;
      const shown = value ?? '•••';
      const readers = finding.rules.length;
      return {
        zh: `${eventType} 的 ${field} 自 ${from.slice(0, 10)} 起 ${count} 次取值 ${shown}，不在目录中；${readers === 0 ? '没有规则读取它。' : `读取它的规则有 ${readers} 条。`}`,
        en: `${field} of ${eventType} was ${shown} ${count} times since ${from.slice(0, 10)}, which the catalogue does not know; ${readers === 0 ? 'no rule reads it.' : `${readers} rules read it.`}`,
      };
    }
    case 'silent-rule': {
      const { rule, silentHours, usualHours, fired, days, events, expected } = finding.detail;
      return {
        zh: `规则 ${rule} 曾在 ${days} 天里触发 ${fired} 次，最长间隔 ${usualHours} 小时；现已沉默 ${silentHours} 小时，其间它监听的事件有 ${events} 个，按以往应触发约 ${expected} 次。`,
        en: `The rule ${rule} fired ${fired} times on ${days} days and was never silent for more than ${usualHours} hours; now it is for ${silentHours}, over ${events} events that it listens to, of which about ${expected} would have made it fire.`,
      };
    }
    case 'failing-condition': {
      const { rule, fact, operator, wanted, seen, nearest } = finding.detail;
      const values = seen.map(({ value, count: times }) => `${JSON.stringify(value)} (${times})`).join(', ');
      const condition = `${fact} ${operator} ${JSON.stringify(wanted)}`;
      return {
        zh: `规则 ${rule} 从未触发，有 ${count} 个事件只差条件 ${condition}。${values === '' ? '' : `实际取值：${values}。`}${nearest === null ? '' : `是否想写 ${JSON.stringify(nearest)}？`}`,
        en: `The rule ${rule} has never fired, and on ${count} events it was the condition ${condition} alone.${values === '' ? '' : ` There stood ${values}.`}${nearest === null ? '' : ` Did you mean ${JSON.stringify(nearest)}?`}`,
      };
    }
    case 'lost-events': {
      const { entity, signs, asked } = finding.detail;
      const said = signs.slice(0, 5).map(signText);
      const more = signs.length > 5 ? ' …' : '';
      return {
        zh: `${entity} 有事件丢失：${said.map(({ zh }) => zh).join('；')}${more}。${asked === null ? '尚未向平台核对。' : `向平台核对的结果：${asked.detail === '' ? asked.outcome : asked.detail}。`}`,
        en: `Events about ${entity} were lost: ${said.map(({ en }) => en).join('; ')}${more}. ${asked === null ? 'The platform was not asked.' : `The platform was asked: ${asked.detail === '' ? asked.outcome : asked.detail}.`}`,
      };
    }
  }
}

function signText({ sign, of, status }: Sign): Label {
  switch (sign) {
    case 'never-begun':
      return { zh: `${of} 的首个状态就是 ${status}`, en: `${of} began with the status ${status}` };
    case 'never-ended':
      return {
        zh: `流程或节点已结束而 ${of} 仍未结束`,
        en: `${of} is still to do though its process or node has ended`,
      };
    case 'no-tasks':
      return { zh: `${of} 已有结论而没有任何任务`, en: `${of} was decided and no task of it was seen` };
  }
}
