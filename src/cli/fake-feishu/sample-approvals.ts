import { randomInt } from 'node:crypto';
import { SAMPLE_APP_ID, SAMPLE_TENANT, eventEnvelope } from './envelope.js';
import type { FakeApp, FakeFeishu, PushOptions, PushRecord } from './fake-feishu.js';

/** The app of `aftersign fake-feishu`. Its secrets are known to everybody: it is a fake. */
export const SAMPLE_APP: FakeApp = {
  appId: SAMPLE_APP_ID,
  appSecret: 'fake-app-secret',
  tenantKey: SAMPLE_TENANT,
  encryptKey: 'fake-encrypt-key',
  verificationToken: 'fake-verification-token',
};

/** The token and the secret of a custom bot that takes messages. */
export const SAMPLE_BOT = { hook: 'fake-bot', secret: 'fake-bot-secret' };

const INITIATOR = {
  open_id: 'ou_7d8a6e6df7621556ce0d21922b676706',
  union_id: 'on_1d8a6e6df7621556ce0d21922b676701',
  user_id: 'u3e1a7c2',
  name: '张三',
  en_name: 'Zhang San',
  email: 'zhangsan@example.com',
  mobile: '+8613800000001',
  employee_no: '1001',
  department_ids: ['od-4e6ac4d14bcd5071a37a39de902c7141'],
  job_title: '工程师',
  status: { is_frozen: false, is_resigned: false, is_activated: true, is_exited: false, is_unjoin: false },
};
const APPROVER = {
  ...INITIATOR,
  open_id: 'ou_84aad35d084aa403a838cf73ee18467',
  union_id: 'on_84aad35d084aa403a838cf73ee18461',
  user_id: 'u84aad35',
  name: '李四',
  en_name: 'Li Si',
  email: 'lisi@example.com',
  mobile: '+8613800000002',
  employee_no: '1002',
  job_title: '部门负责人',
};
const NODE = { node_name: { zh_cn: '部门负责人', en_us: 'Head of department' } };

/** `2` rejected, `3` done: what an approver made of a task. */
export type Decision = 2 | 3;

interface OpenTask {
  readonly processId: string;
  readonly approverId: string;
  readonly createdAt: number;
}

/** Approvals that can be looked up too: the process detail always fits the last event. */
export class SampleApprovals {
  private open: OpenTask | null = null;

  constructor(
    private readonly fake: FakeFeishu,
    private readonly now: () => number = Date.now,
  ) {
    fake.users.set(INITIATOR.open_id, INITIATOR);
    fake.users.set(APPROVER.open_id, APPROVER);
    fake.bots.set(SAMPLE_BOT.hook, { secret: SAMPLE_BOT.secret });
  }

  /** A new process whose first task waits for its approver. */
  begin(options: PushOptions): PushRecord {
    const task = { processId: newId(), approverId: newId(), createdAt: this.now() };
    this.open = task;
    this.fake.processes.set(task.processId, processOf(task, null, this.now()));
    return this.pushTask(task, 1, options);
  }

  /** The approver decides on the newest task. Null: none is waiting. */
  end(decision: Decision, options: PushOptions): PushRecord | null {
    const task = this.open;
    if (!task) return null;
    this.open = null;
    this.fake.processes.set(task.processId, processOf(task, decision, this.now()));
    return this.pushTask(task, decision, options);
  }

  private pushTask(task: OpenTask, status: number, options: PushOptions): PushRecord {
    return this.fake.push(
      SAMPLE_APP.appId,
      eventEnvelope({
        header: { create_time: String(this.now()) },
        event: { process_id: task.processId, approver_id: task.approverId, status },
      }),
      options,
    );
  }
}

/** `data` of process.get: the task is among those to do, or among those done. */
function processOf(task: OpenTask, decision: Decision | null, now: number): object {
  const { processId, approverId, createdAt } = task;
  const entry = {
    approver_id: approverId,
    type: 1,
    operator_id: APPROVER.open_id,
    operator_name: { zh_cn: APPROVER.name, en_us: APPROVER.en_name },
    ...NODE,
    node_definition_id: 'approval_7c7d9c4d25b',
    create_time: String(createdAt),
    links: links(`task/${approverId}`),
  };
  const done = { ...entry, status: decision, complete_time: String(now), approval_opinion: '同意，续签一年' };
  return {
    process_id: processId,
    status: decision === null ? 1 : decision === 3 ? 9 : 2,
    properties: 1,
    flow_template_id: 'renewal_record',
    flow_template_name: { zh_cn: '合同续签', en_us: 'Contract renewal' },
    flow_definition_id: 'people_7182520625066475540_7222929439175839532',
    flow_definition_name: { zh_cn: '合同续签', en_us: 'Contract renewal' },
    process_name: { zh_cn: '张三的合同续签', en_us: 'Contract renewal of Zhang San' },
    initiator_id: INITIATOR.open_id,
    initiator_name: { zh_cn: INITIATOR.name, en_us: INITIATOR.en_name },
    create_time: String(createdAt),
    ...(decision === null ? {} : { complete_time: String(now) }),
    start_links: links(`process/${processId}`),
    abstracts: [{ name: { zh_cn: '合同期限', en_us: 'Term' }, value: { zh_cn: '一年', en_us: 'One year' } }],
    todos: decision === null ? [entry] : [],
    done_list: decision === null ? [] : [decision === 3 ? done : { ...done, approval_opinion: '请补充材料' }],
    cc_list: [],
    system_todos: [],
    system_done_list: [],
    comment_infos: [],
  };
}

function links(path: string): object {
  const link = `https://example.com/${path}`;
  return { web_link: link, pc_link: link, mobile_link: link };
}

/** 19 digits, as the platform's ids have. */
function newId(): string {
  return `7${Array.from({ length: 18 }, () => randomInt(10)).join('')}`;
}
