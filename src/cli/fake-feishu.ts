import { FakeFeishu } from './fake-feishu/fake-feishu.js';
import { FakePage } from './fake-feishu/page.js';
import { SAMPLE_APP, SAMPLE_BOT, SampleApprovals } from './fake-feishu/sample-approvals.js';
import { pc } from './colours.js';
import { refuse } from './refuse.js';

export interface FakeFeishuCommandOptions {
  /** Of 127.0.0.1. */
  readonly port: number;
  /** Where pushes to the webhook go; without it there is only the long connection. */
  readonly webhook?: string | undefined;
}

/** `aftersign fake-feishu`: a Feishu platform on this machine with a page to push events from, until Ctrl-C. */
export async function runFakeFeishu({ port, webhook }: FakeFeishuCommandOptions): Promise<number> {
  let page: FakePage | null = null;
  let fake;
  try {
    fake = await FakeFeishu.start({
      port,
      apps: [webhook === undefined ? SAMPLE_APP : { ...SAMPLE_APP, webhookUrl: webhook }],
      other: async (request, response) => (await page?.answer(request, response)) ?? false,
    });
  } catch (error) {
    return refuse(
      'FAKE_FEISHU_PORT',
      `port ${port} of 127.0.0.1 cannot be had (${error instanceof Error ? error.message : String(error)}): use another with --port`,
    );
  }
  page = new FakePage(fake, new SampleApprovals(fake));
  process.stdout.write(settingsText(fake.url, webhook !== undefined));
  if (webhook !== undefined) {
    const answers = await fake.verifyWebhook(SAMPLE_APP.appId);
    process.stdout.write(
      answers
        ? `${pc.green('✓')} ${webhook} 地址校验通过 / the webhook answers the check of its address\n\n`
        : `${pc.yellow('!')} ${webhook} 未通过地址校验（Aftersign 启动了吗？）/ no right answer to the check of the address; is Aftersign up?\n\n`,
    );
  }
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, resolve);
  });
  await fake.stop();
  return 0;
}

function settingsText(url: string, withWebhook: boolean): string {
  const { appId, appSecret, encryptKey = '', verificationToken = '' } = SAMPLE_APP;
  const settings = [
    `FEISHU_DOMAIN='${url}'`,
    `FEISHU_MODE='${withWebhook ? 'both' : 'long-connection'}'`,
    `FEISHU_APP_ID='${appId}'`,
    `FEISHU_APP_SECRET='${appSecret}'`,
    ...(withWebhook
      ? [`FEISHU_ENCRYPT_KEY='${encryptKey}'`, `FEISHU_VERIFICATION_TOKEN='${verificationToken}'`]
      : []),
    `OUTBOUND_ALLOW='${new URL(url).host}'`,
    `SECRET_BOT_URL='${url}/open-apis/bot/v2/hook/${SAMPLE_BOT.hook}'`,
    `SECRET_BOT_SECRET='${SAMPLE_BOT.secret}'`,
  ];
  return `
${pc.bold('假飞书 Fake Feishu')}  ${pc.cyan(url)}

在另一个终端中执行，然后 npm start / in another terminal, and then npm start:

${settings.map((one) => `export ${one}`).join('\n')}

在页面上推送审批 / push approvals from the page:  ${pc.cyan(`${url}/`)}
JSON: ${url}/_fake/state
${pc.dim('Ctrl-C 结束 / ends it')}

`;
}
