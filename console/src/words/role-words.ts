import { bothWords } from './words.js';

/** What people may here, by their role. */
export const ROLES = bothWords(
  {
    role: 'Role',
    viewer: 'Viewer',
    operator: 'Operator',
    admin: 'Admin',
    viewerMay: 'sees everything but personal values',
    operatorMay: 'also acts: deliveries, silences, timers, rule sets, tests',
    adminMay: 'also users, erasures, the audit log',
  },
  {
    role: '角色',
    viewer: '查看者',
    operator: '操作员',
    admin: '管理员',
    viewerMay: '可查看除个人信息外的全部内容',
    operatorMay: '还可执行操作：投递、静默、定时器、规则集、测试',
    adminMay: '还可管理用户、清除数据、查看审计',
  },
);
