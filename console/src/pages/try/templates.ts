/** What a new rule may begin as. */
export const TEMPLATES = ['http', 'email', 'escalation'] as const;
export type Template = (typeof TEMPLATES)[number];

const MAIL = {
  type: 'email',
  name: 'mail-owner',
  to: ['ops@example.com'],
  subject: 'Approved: {{ event.process_id }}',
  text: 'The approval task of process {{ event.process_id }} is {{ event.status | label: "en" }}.',
};

const DONE = [
  { fact: 'biz_type', operator: 'equal', value: 'renewal_record' },
  { fact: 'status', operator: 'equal', value: 3 },
];

const PARTS: Readonly<Record<Template, object>> = {
  http: {
    conditions: { all: DONE },
    actions: [
      {
        type: 'http',
        name: 'tell-system',
        method: 'POST',
        url: 'https://system.example.com/approvals',
        body: { process: '{{ event.process_id }}', status: '{{ event.status }}' },
      },
    ],
  },
  email: { conditions: { all: DONE }, actions: [MAIL] },
  escalation: {
    conditions: {
      all: [
        { fact: 'biz_type', operator: 'equal', value: 'renewal_record' },
        { fact: 'status', operator: 'equal', value: 1 },
      ],
    },
    actions: [],
    escalate: {
      per: 'task',
      steps: [
        {
          name: 'remind',
          after: '24h',
          actions: [
            {
              ...MAIL,
              name: 'mail-reminder',
              subject: 'Still waiting: {{ event.process_id }}',
              text: 'Nobody has answered process {{ event.process_id }} for a day.',
            },
          ],
        },
      ],
    },
  },
};

/** The text of a new file at this path, below the rules folder. */
export function templateText(template: Template, path: string): string {
  const folders = path.split('/').slice(0, -1);
  const name = (path.split('/').at(-1) ?? '').replace(/\.rule\.json$/, '');
  const document = {
    $schema: `${folders.length === 0 ? './' : '../'.repeat(folders.length)}schema.json`,
    name,
    description: '',
    owner: 'people-ops',
    trigger: 'corehr.process.approver.updated_v2',
    ...PARTS[template],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Whether a file of rules may stand at this path of the rules folder, in which no name begins with a dot. */
export function isRulePath(path: string): boolean {
  return (
    /^[^\p{Cc}\\]{1,300}\.rule\.json$/u.test(path) &&
    path.split('/').every((part) => part !== '' && !part.startsWith('.'))
  );
}
