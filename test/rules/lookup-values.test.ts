import { describe, expect, it } from '@jest/globals';
import { processValue, userValue } from '../../src/rules/lookup-values.js';

const DETAIL = {
  process_id: '7072306364927985196',
  status: 1,
  process_name: { 'zh-CN': '合同续签', 'en-US': 'Contract renewal' },
  todos: [{ approver_id: 't1', operator_id: 'ou_1', operator_name: { zh_cn: '张三', en_us: 'Zhang San' } }],
  done_list: [{ approver_id: 't2', operator_id: 'ou_2', status: 3 }],
  system_done_list: [{ approver_id: 9007199254740991, status: 3 }],
};

describe('what rules read of a process detail', () => {
  it('finds the task of the event by its approver_id, in whichever list it stands', () => {
    expect(processValue(DETAIL, 't1')['task']).toMatchObject({ operator_id: 'ou_1', list: 'todos' });
    expect(processValue(DETAIL, 't2')['task']).toMatchObject({ operator_id: 'ou_2', list: 'done_list' });
    expect(processValue(DETAIL, '9007199254740991')['task']).toMatchObject({ list: 'system_done_list' });
    expect(processValue(DETAIL, 't3')).not.toHaveProperty('task');
    expect(processValue(DETAIL, null)).not.toHaveProperty('task');
  });

  it('writes names in one way, whichever way they come', () => {
    expect(processValue(DETAIL, 't1')).toMatchObject({
      process_name: { zh_cn: '合同续签', en_us: 'Contract renewal' },
      task: { operator_name: { zh_cn: '张三', en_us: 'Zhang San' } },
    });
  });

  it('keeps the task and lets the lists go when there are too many of them to be kept with each evaluation', () => {
    const todos = Array.from({ length: 500 }, (_, n) => ({
      approver_id: `t${n}`,
      operator_id: 'x'.repeat(100),
    }));
    const value = processValue({ ...DETAIL, todos }, 't499');
    expect(value).toMatchObject({ status: 1, task: { approver_id: 't499', list: 'todos' } });
    expect(value).not.toHaveProperty('todos');
    expect(JSON.stringify(value).length).toBeLessThan(2000);
  });

  it('takes an answer that is no object for an empty one', () => {
    expect(processValue(null, 't1')).toEqual({});
    expect(userValue({ user: [] })).toEqual({});
    expect(userValue({ user: { open_id: 'ou_1', email: 'a@example.com' } })).toEqual({
      open_id: 'ou_1',
      email: 'a@example.com',
    });
  });
});
