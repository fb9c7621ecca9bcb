// Pure: what a drill would send, of compiled rules and the samples of the catalogue.
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import { sampleRequests } from '../../src/rules/sample-requests.js';

const AT = { now: Date.UTC(2026, 10, 2, 9), timezone: 'Asia/Shanghai' };
const http = (url: string, more: object = {}): object => ({ type: 'http', name: 'tell', url, ...more });
const rule = (name: string, actions: readonly object[], more: object = {}): object => ({
  name,
  trigger: 'corehr.process.approver.updated_v2',
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
  actions,
  ...more,
});

async function samplesOf(...rules: object[]) {
  const files = new Map([['a.rule.json', JSON.stringify(rules)]]);
  const { ruleSet, findings } = await compileRuleSet(files, loadBuiltInCatalogue());
  if (!ruleSet) throw new Error(JSON.stringify(findings));
  return sampleRequests(ruleSet, AT);
}

describe('the requests of a drill', () => {
  it('are those of the first action that leads to a target, with the sample of an event it listens to', async () => {
    const { requests, left } = await samplesOf(
      rule('a', [http('https://a.example/{{ event.process_id }}')]),
      rule('b', [http('https://a.example/other')]),
      rule('off', [http('https://off.example/')], { enabled: false }),
      rule('steps', [], {
        actions: undefined,
        escalate: {
          per: 'task',
          steps: [{ after: '1h', actions: [http('https://step.example/{{ task.age }}')] }],
        },
      }),
      rule('gathers', [http('https://digest.example/', { body: '{{ items }}' })], {
        digest: { window: '1m' },
      }),
    );
    expect([...requests.keys()].sort()).toEqual([
      'http:a.example',
      'http:digest.example',
      'http:step.example',
    ]);
    expect(requests.get('http:a.example')).toMatchObject({
      content: { url: 'https://a.example/7072306364927985196' },
    });
    expect(left).toEqual([]);
  });

  it('leave out whom an event names, and what no sample can fill', async () => {
    const mail = { type: 'email', name: 'mail', subject: 's', text: 't' };
    const { requests, left } = await samplesOf(
      rule('fixed', [{ ...mail, to: ['ops@example.com'] }]),
      rule('of-event', [
        {
          ...mail,
          to: ["{{ event.comment | default: 'x@example.com' }}", '{{ event.approver_id }}@example.com'],
          allowRecipientFromEvent: ['example.com'],
        },
      ]),
      rule('unfit', [
        http('https://a.example/', { headers: { 'x-at': "{{ event.event_id | date: 'yyyy' }}" } }),
      ]),
    );
    expect([...requests.keys()]).toEqual(['email:ops@example.com']);
    expect(left.map(({ rule: name, code }) => [name, code])).toEqual([
      ['of-event', 'DRILL_RECEIVER_FROM_EVENT'],
      ['unfit', 'DRILL_NOT_RENDERED'],
    ]);
  });
});
