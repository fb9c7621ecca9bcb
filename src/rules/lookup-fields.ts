import { createHash } from 'node:crypto';
import type { FieldDefinition } from '../events/catalogue.js';
import type { LookupDocument } from './lookup-document.js';

/** What is known of an answer. */
export interface AnswerShape {
  /** Null: it may be anything. */
  readonly field: FieldDefinition | null;
  /** Genuine answers have members that are not listed: other names are not mistakes. */
  readonly more: boolean;
}

type Fields = Readonly<Record<string, FieldDefinition>>;

const text = (zh: string, en: string): FieldDefinition => ({
  type: 'string',
  label: { zh, en },
  optional: true,
});
const flag = (zh: string, en: string): FieldDefinition => ({
  type: 'boolean',
  label: { zh, en },
  optional: true,
});
const number = (zh: string, en: string): FieldDefinition => ({
  type: 'integer',
  label: { zh, en },
  optional: true,
});
const time = (zh: string, en: string): FieldDefinition => ({ ...text(zh, en), format: 'epoch-milliseconds' });
const personal = (field: FieldDefinition): FieldDefinition => ({ ...field, personal: true });
const object = (zh: string, en: string, fields: Fields): FieldDefinition => ({
  type: 'object',
  label: { zh, en },
  optional: true,
  fields,
});
const list = (zh: string, en: string, items: FieldDefinition): FieldDefinition => ({
  type: 'array',
  label: { zh, en },
  optional: true,
  items,
});
const oneOf = (field: FieldDefinition, values: readonly (readonly [string | number, string, string])[]) => ({
  ...field,
  enum: values.map(([value, zh, en]) => ({ value, label: { zh, en } })),
});
const name = (zh: string, en: string): FieldDefinition =>
  object(zh, en, { zh_cn: text('中文', 'in Chinese'), en_us: text('英文', 'in English') });
const links = (zh: string, en: string): FieldDefinition =>
  object(zh, en, {
    web_link: text('网页链接', 'web link'),
    pc_link: text('PC 链接', 'desktop link'),
    mobile_link: text('移动端链接', 'mobile link'),
  });

const SYSTEM_TASK: Fields = {
  approver_id: text('审批任务', 'approval task'),
  type: oneOf(number('单据类型', 'document type'), [
    [1, '审批单', 'approval form'],
    [5, '表单', 'form'],
  ]),
  links: links('单据链接', 'links'),
  operator_name: personal(name('处理人姓名', 'name of the approver')),
  node_name: name('节点名称', 'name of the node'),
  create_time: time('任务创建时间', 'time of creation'),
  node_definition_id: text('节点模板', 'node template'),
};
const TASK: Fields = { ...SYSTEM_TASK, operator_id: personal(text('处理人', 'approver')) };
const DONE: Fields = {
  status: oneOf(number('任务状态', 'task status'), [
    [2, '拒绝', 'rejected'],
    [3, '已完成', 'done'],
    [4, '取消', 'cancelled'],
  ]),
  complete_time: time('任务完成时间', 'time of completion'),
  approval_opinion: personal(text('审批意见', 'opinion')),
};
const CC: Fields = Object.fromEntries(Object.entries(TASK).filter(([key]) => key !== 'type'));

/** Whatever the list that the event's task stands in. */
const TASK_OF_EVENT: Fields = {
  ...TASK,
  ...DONE,
  list: oneOf(text('所在列表', 'list that it stands in'), [
    ['todos', '待办', 'to do'],
    ['done_list', '已办', 'done'],
    ['cc_list', '抄送', 'copies'],
    ['system_todos', '系统待办', 'to do by the system'],
    ['system_done_list', '系统已办', 'done by the system'],
  ]),
};

const entry = (zh: string, en: string, fields: Fields): FieldDefinition => object(zh, en, fields);

/** Answer of the process detail (feishu-events 4.2). No member is guaranteed. */
const PROCESS: Fields = {
  process_id: text('流程实例', 'process'),
  status: oneOf(number('流程状态', 'process status'), [
    [1, '进行中', 'in progress'],
    [2, '已拒绝', 'rejected'],
    [4, '已撤回', 'withdrawn'],
    [8, '已撤销', 'revoked'],
    [9, '已完成', 'completed'],
    [15, '撤销中', 'being revoked'],
  ]),
  flow_template_id: text('业务类型', 'business type'),
  flow_template_name: name('业务类型名称', 'name of the business type'),
  flow_definition_id: text('流程模板', 'process template'),
  flow_definition_name: name('流程模板名称', 'name of the process template'),
  process_name: name('流程名称', 'name of the process'),
  initiator_id: personal(text('发起人', 'initiator')),
  initiator_name: personal(name('发起人姓名', 'name of the initiator')),
  create_time: time('流程发起时间', 'time of creation'),
  complete_time: time('流程结束时间', 'time of completion'),
  start_links: links('发起链接', 'links of the start'),
  abstracts: list(
    '摘要',
    'abstracts',
    entry('摘要', 'abstract', { name: name('名称', 'name'), value: personal(name('内容', 'value')) }),
  ),
  properties: oneOf(number('流程性质', 'process properties'), [
    [1, '普通流程', 'normal'],
    [2, '撤销流程', 'revocation'],
    [3, '更正流程', 'correction'],
  ]),
  original_process_id: text('原流程', 'original process'),
  is_last_completed_correct_process: flag('是否最新更正流程', 'last completed correction'),
  task: entry('本事件的任务', "the event's task", TASK_OF_EVENT),
  todos: list('待办', 'to do', entry('待办', 'to do', TASK)),
  done_list: list('已办', 'done', entry('已办', 'done', { ...TASK, ...DONE })),
  cc_list: list('抄送', 'copies', entry('抄送', 'copy', CC)),
  system_todos: list(
    '系统待办',
    'to do by the system',
    entry('系统待办', 'to do by the system', SYSTEM_TASK),
  ),
  system_done_list: list(
    '系统已办',
    'done by the system',
    entry('系统已办', 'done by the system', { ...SYSTEM_TASK, ...DONE }),
  ),
  comment_infos: list(
    '评论',
    'comments',
    entry('评论', 'comment', {
      comment_id: text('评论编号', 'comment'),
      commentor_id: personal(text('评论人', 'who commented')),
      commentor_name: personal(name('评论人姓名', 'name of who commented')),
      comment_time: time('评论时间', 'time of the comment'),
      comment_msg: personal(text('评论内容', 'text of the comment')),
      at_user_ids: personal(list('提及的人', 'who is mentioned', text('用户', 'user'))),
      file_count: number('附件数', 'number of files'),
      image_count: number('图片数', 'number of images'),
    }),
  ),
};

/** Answer of the user look-up (feishu-events 4.3). What the app has no scope for is silently absent. */
const USER: Fields = {
  open_id: personal(text('open_id', 'open_id')),
  union_id: personal(text('union_id', 'union_id')),
  user_id: personal(text('user_id', 'user_id')),
  name: personal(text('姓名', 'name')),
  en_name: personal(text('英文名', 'English name')),
  nickname: personal(text('别名', 'nickname')),
  email: personal(text('邮箱', 'e-mail')),
  enterprise_email: personal(text('企业邮箱', 'company e-mail')),
  mobile: personal(text('手机号', 'mobile')),
  employee_no: personal(text('工号', 'employee number')),
  department_ids: list('部门', 'departments', text('部门', 'department')),
  leader_user_id: personal(text('直属上级', 'direct leader')),
  job_title: personal(text('职务', 'job title')),
  status: object('用户状态', 'status of the user', {
    is_frozen: flag('已暂停', 'frozen'),
    is_resigned: flag('已离职', 'resigned'),
    is_activated: flag('已激活', 'activated'),
    is_exited: flag('已主动退出', 'left'),
    is_unjoin: flag('未加入', 'not joined'),
  }),
};

/** Changes when what is known of Feishu's answers does; a part of the version of rule sets that have look-ups. */
export const LOOKUP_FIELDS_VERSION = createHash('sha256')
  .update(JSON.stringify([PROCESS, USER]))
  .digest('hex');

/** What the answer of a look-up holds, as far as it is known. */
export function shapeOf(name: string, document: LookupDocument): AnswerShape {
  const label = { zh: `查询 ${name}`, en: `look-up ${name}` };
  switch (document.type) {
    case 'feishu-process':
      return { field: { type: 'object', label, fields: PROCESS }, more: false };
    case 'feishu-user':
      return { field: { type: 'object', label, fields: USER }, more: true };
    case 'http':
      return {
        field: document.fields ? { type: 'object', label, fields: document.fields } : null,
        more: false,
      };
  }
}
