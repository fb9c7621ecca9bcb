// The console in a real browser, before the real service: a chapter in each file beside this one.
import { afterAll, afterEach, beforeAll, expect, jest } from '@jest/globals';
import { Chromium, describeInBrowser } from '../support/chromium.js';
import { Stage } from '../support/stage.js';
import { axe } from './axe.js';
import { flows } from './flows.js';
import { naughty } from './naughty.js';
import { replays } from './replays.js';
import { roles } from './roles.js';
import { shell } from './shell.js';

let stage: Stage | null = null;
let chromium: Chromium | null = null;

function standing<T>(one: T | null): T {
  if (one === null) throw new Error('only while the tests run');
  return one;
}

const room = {
  get stage() {
    return standing(stage);
  },
  get chromium() {
    return standing(chromium);
  },
};

// A browser beside everything else that is tested is slow.
jest.setTimeout(90_000);

describeInBrowser('the console', () => {
  beforeAll(async () => {
    stage = await Stage.start();
    chromium = await Chromium.start(stage);
  }, 120_000);
  afterAll(async () => {
    await chromium?.close();
    await stage?.stop();
  });
  afterEach(() => {
    expect(chromium?.takeProblems()).toEqual([]);
  });

  shell(room);
  flows(room);
  replays(room);
  roles(room);
  axe(room);
  naughty(room);
});
